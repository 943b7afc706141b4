/** Results as lines of text: aligned columns, rates with intervals. */
import type { Rate } from "../engine/rate.ts";
import type { Scores } from "../experiments/result.ts";
import { percentWithInterval } from "../report/numbers.ts";

/** Rows below each other, columns as wide as their widest cell; a last line break included. */
export function table(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) => row.map((cell, i) => cell.padEnd(widths[i])).join("   ");
  return rows.map((row) => `${line(row).trimEnd()}\n`).join("");
}

/** "98.2 % (97.5–98.7)", with common spaces. */
export function rateText(rate: Rate): string {
  return percentWithInterval(rate).replaceAll("\u202f", " ");
}

/** A row of a table with the columns CA and ASR. */
export function scoresRow(what: string, { ca, asr }: Scores): string[] {
  return [what, rateText(ca), rateText(asr)];
}

export const scoresHead: readonly string[] = ["", "clean accuracy", "attack success rate"];

export function bytesText(bytes: number): string {
  if (bytes >= 2 ** 30) return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  if (bytes >= 2 ** 20) return `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0)} MiB`;
  return bytes >= 1024 ? `${Math.round(bytes / 1024)} KiB` : `${bytes} bytes`;
}
