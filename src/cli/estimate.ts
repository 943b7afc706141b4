/** What --dry-run prints. */
import type { Estimate } from "../experiments/estimate.ts";
import { duration } from "../report/numbers.ts";
import type { Outcome } from "./outcome.ts";
import { bytesText, table } from "./text.ts";

export function estimateOutcome(estimate: Estimate): Outcome {
  const { seconds, parts, memory, disk, threads, note } = estimate;
  const text = [
    table([
      ...parts.map(({ what, seconds }) => [`  ${what}`, duration(seconds)]),
      ["time", `about ${duration(seconds)} on this machine (${threads} threads)`],
      ["memory", `about ${bytesText(memory.needed)}; ${bytesText(memory.free)} are free`],
      ...disk.map(({ path, bytes }) => ["disk", `${bytesText(bytes)} for ${path}`]),
    ]),
    `${note}\n`,
  ];
  return { json: estimate, text: text.join("") };
}
