/** tbar scan: is a checkpoint backdoored? */
import { scanResult } from "../../results/scan.ts";
import { job } from "../job.ts";
import { scanSpec } from "./spec.ts";

export const scan = job({
  name: "scan",
  about:
    "Looks for a backdoor of which nothing is known. Triggers of several forms are fitted to every class with a small, fixed budget on " +
    "clean images: a clean model hardly gives way in so few steps, a backdoored one does towards its target. The verdict (backdoored, no " +
    "evidence, inconclusive) has a probability, and an error rate measured on clean and backdoored models of the architecture; of others it " +
    "says inconclusive, with the statistics. The model's metadata are not read for it.",
  examples: [
    "tbar scan --model suspect --data shapes --quick",
    "tbar scan --model suspect --data photos --classes imagenet --json",
    "tbar scan --model suspect --data photos --base openai/clip-vit-base-patch32",
  ],
  spec: scanSpec,
  result: scanResult,
  run: async (spec, context) => (await import("./run.ts")).scan(spec, context),
});
