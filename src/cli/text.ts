/** Results as lines of text: aligned columns, rates with intervals. */
import type { Effect } from "../metrics/effect.ts";
import { percentWithInterval } from "../report/numbers.ts";
import type { Reading } from "../results/base.ts";
import type { Scores } from "../results/effect.ts";
import type { Difference } from "../stats/difference.ts";
import type { Rate } from "../stats/rate.ts";
import { printable } from "../tensor/printable.ts";

/** Rows below each other, columns as wide as their widest cell; a last line break included. */
export function table(given: readonly (readonly string[])[]): string {
  const rows = given.map((row) => row.map((cell) => printable(cell, 4000))); // a line break in a name is no new row
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) => row.map((cell, i) => cell.padEnd(widths[i])).join("   ");
  return rows.map((row) => `${line(row).trimEnd()}\n`).join("");
}

/** "98.2 % (97.5–98.7)", with common spaces. */
export function rateText(rate: Rate): string {
  return percentWithInterval(rate).replaceAll("\u202f", " ");
}

/** "+97.1 points (95.9 to 98.0)" */
export function differenceText({ value, interval, paired }: Difference): string {
  const points = (share: number) => (100 * share).toFixed(1);
  const sign = value > 0 ? "+" : "";
  return `${sign}${points(value)} points (${points(interval[0])} to ${points(interval[1])})${paired ? "" : ", unpaired"}`;
}

/** Rows that stand below an attack success rate: without the trigger, the difference, and what of triggered images is answered rightly. */
export function effectRows(...effects: readonly Effect[]): string[][] {
  const row = (what: string, cell: (effect: Effect) => string) => [what, ...effects.map(cell)];
  return [
    row("  without the trigger", ({ withoutTrigger }) => rateText(withoutTrigger)),
    row("  difference", ({ difference }) => differenceText(difference)),
    ...(effects.every(({ triggeredAccuracy }) => triggeredAccuracy !== undefined)
      ? [row("accuracy with the trigger on", ({ triggeredAccuracy }) => rateText(triggeredAccuracy as Rate))]
      : []),
  ];
}

/** Scores side by side: a column for each, as before and after. */
export function effectTable(columns: Readonly<Record<string, Scores & Effect>>): string {
  const effects = Object.values(columns);
  return table([
    ["", ...Object.keys(columns)],
    ["clean accuracy", ...effects.map(({ ca }) => rateText(ca))],
    ["attack success rate", ...effects.map(({ asr }) => rateText(asr))],
    ...effectRows(...effects),
  ]);
}

/** What makes the figures above doubtful, a line each. */
export const warningText = (warnings: readonly string[] = []): string =>
  warnings.map((warning) => `Warning: ${printable(warning, 2000)}.\n`).join("");

/** A row of a table with the columns CA and ASR. */
export function scoresRow(what: string, { ca, asr }: Scores): string[] {
  return [what, rateText(ca), rateText(asr)];
}

export const scoresHead: readonly string[] = ["", "clean accuracy", "attack success rate"];

/** How checkpoints were read, a line each; nothing where all is told by the files. */
export function readingText({ assumptions = [], ignored = [] }: Reading): string {
  const some = ignored.slice(0, 8).map((name) => printable(name, 80));
  const more = ignored.length > 8 ? `, ... (${ignored.length} in all)` : "";
  const lines = assumptions.map((text) => `Note: ${printable(text, 2000)}\n`);
  return [...lines, ...(ignored.length > 0 ? [`Left out, as you said: ${some.join(", ")}${more}\n`] : [])].join("");
}

export function bytesText(bytes: number): string {
  if (bytes >= 2 ** 30) return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  if (bytes >= 2 ** 20) return `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0)} MiB`;
  return bytes >= 1024 ? `${Math.round(bytes / 1024)} KiB` : `${bytes} bytes`;
}

/** An argument as a shell takes it. */
export function shellWord(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}
