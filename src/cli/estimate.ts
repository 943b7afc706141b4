/** What --dry-run prints. */
import type { Estimate } from "../jobs/progress/estimate.ts";
import { duration } from "../report/numbers.ts";
import type { Outcome } from "./outcome.ts";
import { bytesText, table } from "./text.ts";

export function estimateOutcome(estimate: Estimate): Outcome {
  const { range, parts, memory, disk, threads, note } = estimate;
  const text = [
    table([
      ...parts.map(({ what, range }) => [`  ${what}`, between(range)]),
      ["time", `about ${between(range)} on this machine (${threads} threads)`],
      ["memory", `about ${bytesText(memory.needed)}; ${bytesText(memory.free)} are free`],
      ...disk.map(({ path, bytes }) => ["disk", `${bytesText(bytes)} for ${path}`]),
    ]),
    `${note}\n`,
  ];
  return { json: estimate, text: text.join("") };
}

/** "4 min to 9 min"; one figure where both ends read alike. */
function between([least, most]: readonly [number, number]): string {
  const [low, high] = [duration(least), duration(most)];
  return low === high ? low : `${low} to ${high}`;
}
