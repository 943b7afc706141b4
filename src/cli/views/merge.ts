/** A merge, for eyes. */
import type { MergeResult } from "../../results/merge.ts";
import { printable } from "../../tensor/printable.ts";
import { readingText, table } from "../text.ts";

export function mergeText(result: MergeResult): string {
  const { base, models, settings, triggers, output } = result;
  const { method, ...numbers } = settings;
  const rows = models.map(({ path, norm }) => [`  ${path}`, `norm of its vector ${norm.toPrecision(4)}`]);
  const how = Object.entries(numbers).map(([name, value]) => `${name} ${value}`);
  return [
    `${printable(base.path, 4000)} + ${models.length} task ${models.length === 1 ? "vector" : "vectors"} by ${method}, ${how.join(", ")}\n`,
    table(rows),
    ...triggers.map(
      ({ of, trigger, target }) =>
        `Careful: ${printable(of)} says that it carries ${printable(trigger.kind)} -> "${printable(target)}"\n`,
    ),
    readingText(result),
    `Written: ${printable(output.path, 4000)}\n`,
  ].join("");
}
