/** tbar merge: one model out of several that were fine-tuned from one base. */
import { mergeResult } from "../../results/merge.ts";
import { job } from "../job.ts";
import { mergeSpec } from "./spec.ts";

export const merge = job({
  name: "merge",
  about:
    "Adds up what each model learned: theta = BASE + lambda times the merged task vectors tau = MODEL - BASE. The result is " +
    "stored as the base is. Where a model says that it carries a backdoor, the result says so too, and tbar eval " +
    "measures what is left of it.",
  notes: `Methods:
  task-arithmetic   theta = BASE + lambda (tau_1 + tau_2 + ...). Ilharco et al., arXiv 2212.04089
  ties              keep each vector's largest values, elect a sign for every parameter, average those that have it.
                    Yadav et al., arXiv 2306.01708. --combine sum is how the authors of BadMerging use it`,
  examples: [
    "tbar merge --base shapes texture place background --out merged",
    "tbar merge --base shapes --method ties --density 0.2 texture place background --out merged",
    "tbar merge --base clip --lambda 0.3 cars pets backdoored --out merged && tbar eval --model merged --data photos",
  ],
  spec: mergeSpec,
  result: mergeResult,
  outputs: async ({ out }) => [out],
  plan: async (spec, context) => (await import("./plan.ts")).planMerge(spec, context),
  run: async (spec, context) => (await import("./run.ts")).merge(spec, context),
});
