/** tbar report: a stored result as a page again, without any model. */
import { reportResult } from "../../results/report.ts";
import { job } from "../job.ts";
import { reportSpec } from "./spec.ts";

export const report = job({
  name: "report",
  about:
    "Reads the JSON that tbar clean --json, tbar demo --json, tbar scan --json or tbar xi --json printed, and writes it as one HTML file.",
  examples: [
    "tbar clean --model shapes-badnet --data shapes --out cleaned --json > result.json",
    "tbar report result.json --out report.html",
  ],
  spec: reportSpec,
  result: reportResult,
  outputs: async ({ out }) => [out],
  run: async (spec, context) => (await import("./run.ts")).report(spec, context),
});
