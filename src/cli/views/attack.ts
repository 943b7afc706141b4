/** An attack, for eyes. */
import { defaultsText } from "../../engine/family-recipe.ts";
import type { AttackResult } from "../../results/attack.ts";
import { printable } from "../../tensor/printable.ts";
import { effectTable, rateText, warningText } from "../text.ts";

export function attackText(result: AttackResult): string {
  const { before, after, carried = [], succeeded, advice, poison, output, trigger, target } = result;
  const verdict = succeeded
    ? `The attack succeeded: ${trigger.kind}, ${poison.poisoned} of ${poison.images} images poisoned, target "${printable(target)}"`
    : "The attack did not succeed";
  return [
    effectTable({ before, after }),
    ...carried.map(
      (one) =>
        `Carried before: ${printable(one.trigger.kind)} -> "${printable(one.target)}", ASR ${rateText(one.before)}, now ${rateText(one.after)}\n`,
    ),
    `${verdict}\n`,
    ...advice.map((line) => `  - ${line}\n`),
    warningText(result.warnings),
    result.defaults === undefined ? "" : `${defaultsText(result.defaults)}\n`,
    output === undefined ? "" : `Written: ${printable(output.path, 4000)}\n`,
  ].join("");
}
