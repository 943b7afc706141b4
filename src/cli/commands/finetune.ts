/** tbar finetune: teach a model a task, to have a task vector to merge. */

import { defaultsText } from "../../engine/family-recipe.ts";
import type { FinetuneResult } from "../../jobs/finetune.ts";
import { duration, points } from "../../report/numbers.ts";
import { estimateOutcome } from "../estimate.ts";
import { forceText, groups, inputsOf, modelCommand, needed, number, oneOf, withTraining } from "../options.ts";
import type { Perform } from "../outcome.ts";
import { checkOutputs } from "../outputs.ts";
import { rateText, table, warningText } from "../text.ts";

const trainable = ["all", "projection"] as const;

export const finetuneCommand = (perform: Perform) =>
  withTraining(
    modelCommand("finetune", {
      summary: "fine-tune a model on labelled images, cleanly",
      about:
        "Trains the image tower on labelled images with cross-entropy under the frozen zero-shot head of their classes, and " +
        "measures clean accuracy (CA) before and after on images that took no part. Several models made so from one base can be " +
        "put together with tbar merge.",
      notes: `The built-in world has several tasks, each with its own classes and prompts:
  shapes (colour and shape), shapes:shape, shapes:color, shapes:background, shapes:texture, shapes:size, shapes:place`,
      examples: [
        "tbar finetune --model shapes --data shapes:texture --out texture",
        "tbar finetune --model clip --data photos --lr 1e-5 --epochs 10 --out photos-clip",
        "tbar finetune --model clip --data photos --dry-run",
      ],
    }).optionsGroup("Training:"),
  )
    .option(
      "--modules <which>",
      "what learns: all of the image tower, or its projection, the last linear map, alone: quicker, and a merge keeps more of it",
      oneOf("part of the image tower", trainable),
      "all",
    )
    .option("--weight-decay <number>", "pulls all weights towards nought", number({ least: 0 }), 0)
    .optionsGroup(groups.output)
    .option("--out <path>", "where the fine-tuned checkpoint goes: a folder, or a file where --model is one")
    .option("--force", forceText)
    .action((values) =>
      perform(values, async (job) => {
        const { out, test, epochs, lr, batch, weightDecay, modules, dryRun, ...rest } = inputsOf(values);
        if (!dryRun) needed(out, "--out", "where shall the fine-tuned checkpoint go?");
        await checkOutputs([out], values.force, job);
        const { finetuneModel } = await import("../../jobs/finetune.ts");
        const recipe = { epochs, lr, batch, weightDecay, modules, seed: rest.seed };
        const options = { ...rest, ...job, recipe, testImages: test, out };
        if (dryRun) {
          const { estimateFinetuning } = await import("../../jobs/plans.ts");
          return estimateOutcome(await estimateFinetuning(options));
        }
        const result = await finetuneModel(options);
        return { json: result, text: finetuneText(result) };
      }),
    );

function finetuneText({ before, after, recipe, defaults, warnings, seconds, output }: FinetuneResult): string {
  const rows = table([
    ["", "clean accuracy"],
    ["before", rateText(before)],
    ["after", rateText(after)],
    ["lift", `${points(after.value - before.value)} points`],
    ["time", duration(seconds)],
    ...(output === undefined ? [] : [["written", output.path]]),
  ]);
  const said = `${rows}${warningText(warnings)}${defaults === undefined ? "" : `${defaultsText(defaults)}\n`}`;
  if (after.value >= before.value) return said;
  return `${said}Accuracy fell: a learning rate below ${recipe.lr}, or more images, may help\n`;
}
