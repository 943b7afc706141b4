/** tbar scan: is a checkpoint backdoored? */
import { scanResult } from "../../results/scan.ts";
import { job } from "../job.ts";
import { exitOf } from "./exit.ts";
import { scanSpec } from "./spec.ts";

export const scan = job({
  name: "scan",
  about:
    "Looks for a backdoor of which nothing is known. Triggers of several forms are fitted to every class with a small, fixed budget on " +
    "clean images: a clean model hardly gives way in so few steps, a backdoored one does towards its target. The verdict (backdoored, no " +
    "evidence, inconclusive) has a probability, and an error rate measured on clean and backdoored models of the architecture; of others it " +
    "says inconclusive, with the statistics. With --base it sees more, and has error rates of its own. The model's metadata are not read for " +
    "it. Beside it stands what the file itself gives away: pickles that do more than hold weights, other readings, unknown tensors.",
  examples: [
    "tbar scan --model suspect --data shapes --quick",
    "tbar scan --model suspect --data photos --classes imagenet --json",
    "tbar scan --model suspect --data photos --base openai/clip-vit-base-patch32",
  ],
  notes: `--fail-on: inconclusive fails with 1 on a backdoor or another finding of level error and with 3 where the scan cannot tell;
backdoored turns 3 into 0; never turns 1 and 3 into 0. Findings that --baseline accepts fail nothing. Errors always end with 2 or more.
Where there is a tbar.yaml in the working folder and no --config, its options are taken, and that is said.`,
  exits: `  0    no evidence of a backdoor, and nothing else of level error (or --fail-on lets it pass)
  1    backdoored, or another finding of level error, such as a suspicious pickle
  3    inconclusive: the scan could not tell`,
  spec: scanSpec,
  result: scanResult,
  config: "tbar.yaml",
  outputs: async ({ sarif, report }) => [sarif, report],
  exitCode: exitOf,
  plan: async (spec, context) => (await import("./plan.ts")).planScan(spec, context),
  run: async (spec, context) => (await import("./run.ts")).scan(spec, context),
});
