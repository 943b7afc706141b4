/** tbar inspect: what is in a file of weights, and what its pickles would do. */
import { inspectResult } from "../../results/inspect.ts";
import { job } from "../job.ts";
import { inspectSpec } from "./spec.ts";

export const inspect = job({
  name: "inspect",
  about:
    "Lists tensors, key layout, architecture, dtypes and metadata of a checkpoint, tells files that their makers published a hash " +
    "of, and reads pickles as data: what they would import and call is named, never run. " +
    "Opens it as tbar eval does. Exit code 1 when something in it is suspicious, its metadata declare a backdoor, or tbar eval " +
    "would refuse it: why is said first.",
  examples: ["tbar inspect ViT-B-32.pt", "tbar inspect clip --json", "tbar inspect clip --quiet && echo sound"],
  spec: inspectSpec,
  result: inspectResult,
  succeeded: ({ suspicious, refused, declared }) =>
    suspicious.length === 0 && refused === undefined && declared === undefined,
  run: async (spec) => (await import("./run.ts")).inspect(spec),
});
