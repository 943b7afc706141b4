/** What sweeps leave behind: how they went, and the rows of their tables. */
import { z } from "zod";
import { type Frozen, resultHead } from "./base.ts";

const cell = z.looseObject({
  cell: z.string(),
  seed: z.number(),
  state: z.enum(["done", "failed", "left"]),
  /** Steps that are not there; of those after them more may come to light. */
  left: z.array(z.string()),
  /** Why it failed. */
  message: z.string().optional(),
});
export type CellState = Frozen<z.output<typeof cell>>;

export const sweepRunResult = z.looseObject({
  ...resultHead("sweep-run", 1),
  recipe: z.string(),
  store: z.string(),
  cells: z.array(cell),
  /** Steps that were run; the others were in the store. */
  ran: z.number(),
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
  /** "CELL, seed 31: FIGURE" or "CELL, mean of 3: FIGURE". */
  what: z.string(),
  cell: z.string(),
  figure: z.string(),
  /** The figure of the mean that it is a part of, where a seed's has another name. */
  of: z.string().optional(),
  /** Absent in rows of means. */
  seed: z.number().optional(),
  value: z.number(),
  /** 95 %: of a seed over its images, of a mean by a bootstrap over seeds and images. */
  interval: z.tuple([z.number(), z.number()]),
  bar: z.looseObject({ op: z.string(), limit: z.number() }).nullable(),
  /** Does the value satisfy the bar? null without one. */
  met: z.boolean().nullable(),
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
  /** Cells with one seed of which something is not there yet. */
  left: z.number(),
  /** Of the results: "2 cores of AMD EPYC". */
  machines: z.array(z.string()),
  /** Of tbar. */
  versions: z.array(z.string()),
  /** How results came into the store, where no job put them there. */
  notes: z.array(z.string()),
  rows: z.array(row),
});
export type SweepTableResult = Frozen<z.output<typeof sweepTableResult>>;
