/** Sweeps, for eyes. */

import { duration } from "../../report/numbers.ts";
import type {
  CellState,
  SweepExportResult,
  SweepRow,
  SweepRunResult,
  SweepStatusResult,
  SweepTableResult,
  WorkerResult,
} from "../../results/sweep.ts";
import { figureText, seedsOf } from "../../sweep/html.ts";
import { printable } from "../../tensor/printable.ts";
import { table } from "../text.ts";

const counted = (cells: readonly CellState[], state: CellState["state"]) => cells.filter((cell) => cell.state === state).length; // biome-ignore format: one line

export function sweepRunText({ recipe, cells, ran, seconds }: SweepRunResult): string {
  const failed = cells.filter(({ state }) => state === "failed");
  return [
    `${recipe}: ${counted(cells, "done")} of ${cells.length} cells and seeds are done; ${ran} steps were run in ${duration(seconds)}\n`,
    ...failed.map(({ cell, seed, message = "" }) => `Failed: ${cell}, seed ${seed}: ${printable(message, 2000)}\n`),
  ].join("");
}

export function sweepWorkerText({ done, failed, seconds }: WorkerResult): string {
  return [
    `${done} cells were computed in ${duration(seconds)}\n`,
    ...failed.map(({ cell, message }) => `Failed: ${printable(cell)}: ${printable(message, 2000)}\n`),
  ].join("");
}

export function sweepExportText({ cells, written }: SweepExportResult): string {
  return `${cells} cells with a seed each, a task each: ${written.join(", ")}\n`;
}

export function sweepStatusText({ recipe, cells }: SweepStatusResult): string {
  const rows = cells.map(({ cell, seed, state, left, message }) => [
    `  ${cell}`,
    `seed ${seed}`,
    state,
    [state !== "done" && left.join(", "), message && printable(message, 300)].filter(Boolean).join(": "),
  ]);
  const [done, failed, left] = (["done", "failed", "left"] as const).map((state) => counted(cells, state));
  return `${recipe}: ${done} done, ${failed} failed, ${left} left\n${table(rows)}`;
}

/** A block for each cell, a line for each figure. */
export function sweepTableText({ title, rows, left }: SweepTableResult): string {
  const means = rows.filter(({ seed }) => seed === undefined);
  const hasPublished = means.some(({ published }) => published !== undefined);
  const head = ["", "mean", "95 % interval", "seeds", "target", ...(hasPublished ? ["published", "difference"] : [])];
  const lineOf = (mean: SweepRow) => {
    const { figure, value, interval, bar, met, published } = mean;
    const seeds = seedsOf(mean, rows);
    return [
      `  ${figure}`,
      figureText(value),
      interval.map(figureText).join(" to "),
      seeds.map((row) => figureText(row.value)).join(", "),
      bar === null ? "" : `${bar.op} ${bar.limit} ${met ? "pass" : "MISSED"}`,
      ...(published ? [figureText(published.value), figureText(published.difference)] : []),
    ];
  };
  const cells = [...new Set(means.map(({ cell }) => cell))];
  const lines = cells.flatMap((cell) => [[cell], ...means.filter((row) => row.cell === cell).map(lineOf)]);
  const missing = left > 0 ? `${left} cells and seeds are not done yet: tbar sweep status says which\n` : "";
  return `${printable(title)}\n${rows.length === 0 ? "" : table([head, ...lines])}${missing}`;
}
