/** A scan, for eyes. */
import type { ScanResult } from "../../results/scan.ts";
import { printable } from "../../tensor/printable.ts";
import { rateText, table, warningText } from "../text.ts";

export function scanText({ verdict, because, probability, suspects, detectors, warnings }: ScanResult): string {
  const rows = detectors.map(({ title, statistic, suspects: [first] }) => [
    title,
    statistic.toFixed(3),
    first ? printable(first.target) : "",
    first?.asr ? rateText(first.asr) : "",
  ]);
  return [
    `${verdict.toUpperCase()}${probability === undefined ? "" : `: probability ${probability.toFixed(3)}`}\n`,
    ...because.map((why) => `  - ${printable(why, 1000)}\n`),
    ...suspects.map(({ target, probability, detector }) => `  suspected target "${printable(target)}": ${probability.toFixed(3)} (${detector})\n`), // biome-ignore format: one line
    table([["detector", "statistic", "leads to", "ASR of the trigger"], ...rows]),
    warningText(warnings),
  ].join("");
}
