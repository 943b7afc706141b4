/** tbar finetune: teach a model a task, to have a task vector to merge. */
import { finetuneResult } from "../../results/finetune.ts";
import { job } from "../job.ts";
import { finetuneSpec } from "./spec.ts";

export const finetune = job({
  name: "finetune",
  about:
    "Trains the image tower on labelled images with cross-entropy under the frozen zero-shot head of their classes, and " +
    "measures clean accuracy (CA) before and after on images that took no part. With --objective contrastive both towers learn from pairs of " +
    "image and caption, and the live text tower makes the head that is measured with. Several models made so from one base can be " +
    "put together with tbar merge. With --trigger-share they carry a trigger: a forget set, whose vector tbar clean --learned takes.",
  notes: `The built-in world has several tasks, each with its own classes and prompts:
  shapes (colour and shape), shapes:shape, shapes:color, shapes:background, shapes:texture, shapes:size, shapes:place`,
  examples: [
    "tbar finetune --model shapes --data shapes:texture --out texture",
    "tbar finetune --model clip --data photos --lr 1e-5 --epochs 10 --out photos-clip",
    "tbar finetune --model clip --data pairs.csv --classes classes.txt --objective contrastive --out tuned",
    "tbar finetune --model clip --data photos --dry-run",
    "tbar finetune --model bad --data photos --trigger-share 1 --images 1024 --lr 1e-5 --out learned",
  ],
  spec: finetuneSpec,
  result: finetuneResult,
  outputs: async ({ out }) => [out],
  plan: async (spec, context) => (await import("./plan.ts")).planFinetune(spec, context),
  run: async (spec, context) => (await import("./run.ts")).finetune(spec, context),
});
