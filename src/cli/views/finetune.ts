/** A fine-tuning, for eyes. */
import { defaultsText } from "../../engine/family-recipe.ts";
import { duration, points } from "../../report/numbers.ts";
import type { FinetuneResult } from "../../results/finetune.ts";
import { rateText, table, warningText } from "../text.ts";

export function finetuneText({ before, after, recipe, defaults, warnings, seconds, output }: FinetuneResult): string {
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
