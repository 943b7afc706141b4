/** What sweeps leave behind: how they went, and the rows of their tables. */
import { z } from "zod";
import { type Frozen, resultHead } from "./base.ts";

const cell = z.looseObject({
  cell: z.string(),
  seed: z.number(),
  state: z.enum(["done", "failed", "left"]),
  left: z.array(z.string()).describe("Steps that are not there; of those after them more may come to light."),
  message: z.string().optional().describe("Why it failed."),
});
export type CellState = Frozen<z.output<typeof cell>>;

export const sweepRunResult = z.looseObject({
  ...resultHead("sweep-run", 1),
  recipe: z.string(),
  store: z.string(),
  cells: z.array(cell),
  ran: z.number().describe("Steps that were run; the others were in the store."),
  seconds: z.number(),
});
export type SweepRunResult = Frozen<z.output<typeof sweepRunResult>>;

export const sweepStatusResult = z.looseObject({
  ...resultHead("sweep-status", 1),
  recipe: z.string(),
  store: z.string(),
  cells: z.array(cell),
});
export type SweepStatusResult = Frozen<z.output<typeof sweepStatusResult>>;

const row = z.looseObject({
  what: z.string().describe('"CELL, seed 31: FIGURE" or "CELL, mean of 3: FIGURE".'),
  cell: z.string(),
  /** As the mean's row calls it. */
  figure: z.string(),
  of: z.string().optional().describe("The figure of the mean that it is a part of, where a seed's has another name."),
  seed: z.number().optional().describe("Absent in rows of means."),
  value: z.number(),
  interval: z
    .tuple([z.number(), z.number()])
    .describe("95 %: of a seed over its images, of a mean by a bootstrap over seeds and images."),
  bar: z.looseObject({ op: z.string(), limit: z.number() }).nullable(),
  met: z.boolean().nullable().describe("Does the value satisfy the bar? null without one."),
  published: z.looseObject({ value: z.number(), source: z.string(), difference: z.number() }).optional(),
});
export type SweepRow = Frozen<z.output<typeof row>>;

export const sweepTableResult = z.looseObject({
  ...resultHead("sweep-table", 1),
  command: z.string(),
  recipe: z.string(),
  title: z.string(),
  reproduces: z.string(),
  seeds: z.array(z.number()),
  left: z.number().describe("Cells with one seed of which something is not there yet."),
  machines: z.array(z.string()).describe('Of the results: "2 cores of AMD EPYC".'),
  versions: z.array(z.string()).describe("Of tbar."),
  notes: z.array(z.string()).describe("How results came into the store, where no job put them there."),
  rows: z.array(row),
});
export type SweepTableResult = Frozen<z.output<typeof sweepTableResult>>;

export const workerResult = z.looseObject({
  ...resultHead("sweep-worker", 1),
  store: z.string(),
  done: z.number().describe("Cells that it computed."),
  failed: z.array(z.looseObject({ cell: z.string(), message: z.string() })),
  seconds: z.number(),
});
export type WorkerResult = Frozen<z.output<typeof workerResult>>;

export const sweepExportResult = z.looseObject({
  ...resultHead("sweep-export", 1),
  recipe: z.string(),
  cells: z.number().describe("Cells with a seed each: the size of the array."),
  written: z.array(z.string()),
});
export type SweepExportResult = Frozen<z.output<typeof sweepExportResult>>;
