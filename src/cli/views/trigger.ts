/** What a trigger does to images, for eyes. */
import type { TriggerResult } from "../../results/trigger-view.ts";
import { percent } from "../../stats/percent.ts";
import { table } from "../text.ts";

export function triggerText(result: TriggerResult): string {
  const { trigger, images, size, changed, largest, mean, factor, target, out } = result;
  const levels = (change: number) => `${(255 * change).toFixed(1)} of 255`;
  return [
    table([
      ["trigger", target === undefined ? trigger.kind : `${trigger.kind}, to ${target}`],
      ["pixels changed", percent(changed)],
      ["largest change", levels(largest)],
      ["mean change", levels(mean)],
    ]),
    `${images} images of ${size} x ${size}, from top to bottom: clean, triggered, difference x ${factor}\n`,
    `Written: ${out}\n`,
  ].join("");
}
