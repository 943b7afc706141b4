/** The shape of a recipe. docs/sweeps.md explains each key. */
import { z } from "zod";

const word = z
  .string()
  .max(60)
  .regex(/^[a-z0-9][\w-]*$/i, "letters, digits and hyphens");
const values = z.record(z.string(), z.unknown());
const cell = z.looseObject({ name: word, seeds: z.array(z.int()).optional() });
/** As a grid names it and a profile leaves it: it is part of a file's name. */
export const finalCell = z.looseObject({
  ...cell.shape,
  name: z
    .string()
    .max(80)
    .regex(/^[\w-]+$/, "letters, digits and hyphens"),
});
/** Cells of a grid. */
export const mostCells = 10_000;
const seed = z.union([z.int().transform((seed) => ({ seed })), z.looseObject({ seed: z.int() })]);

/** A number of a table: a path into results, with a question mark behind it where that need not be there, or a constant; with `minus` and `over` it is (value - minus) / over. */
export type Term = string | number | Figured;
interface Figured {
  readonly value: Term;
  readonly minus?: Term;
  readonly over?: Term;
}
const term: z.ZodType<Term> = z.lazy(() => z.union([z.string(), z.number(), z.strictObject(figured)]));
const figured = { value: term, minus: term.optional(), over: term.optional() };

/** `interval`: where its 95 % interval stands, if anywhere; else that of its terms is taken. */
const measured = { ...figured, interval: z.string().optional() };

const figure = z.strictObject({
  name: z.string(),
  ...measured,
  /** The figure where the one above is not there: a step that was not run, say. */
  or: z.strictObject(measured).optional(),
  /** The figure is there once for each key of what this path leads to: `${each.key}`, `each.value`. */
  each: z.string().optional(),
  /** What the mean over seeds shall satisfy: ">= 0.9". */
  pass: z.string().optional(),
  /** How the rows of single seeds differ. */
  seeds: z.strictObject({ name: z.string().optional(), pass: z.string().optional() }).optional(),
  /** Of these cells alone. */
  cells: z.array(z.string()).optional(),
});

const profile = z.strictObject({
  about: z.string().optional(),
  seeds: z.array(seed).min(1).optional(),
  cells: z.array(z.string()).optional(),
  /** Laid over every cell. */
  cell: values.optional(),
  values: values.optional(),
  /** Laid over the specs of steps. */
  steps: z.record(z.string(), values).optional(),
});

export const recipe = z.strictObject({
  name: word,
  title: z.string(),
  reproduces: z.string(),
  values: values.default({}),
  seeds: z.array(seed).min(1),
  cells: z.union([z.array(cell).min(1), z.strictObject({ grid: z.record(word, z.array(z.unknown()).min(1)) })]),
  steps: z.array(z.strictObject({ id: word, job: z.string(), spec: values, when: z.string().optional() })).min(1),
  table: z.strictObject({ figures: z.array(figure).min(1) }),
  published: z
    .array(z.strictObject({ cell: z.string(), figure: z.string(), value: z.number(), source: z.string() }))
    .default([]),
  profiles: z.record(word, profile).default({}),
});

type Parsed = z.output<typeof recipe>;
export type Cell = z.output<typeof cell>;
export type Seed = z.output<typeof seed>;
export type Figure = z.output<typeof figure>;
export type Step = Parsed["steps"][number];
export interface Recipe extends Omit<Parsed, "cells" | "profiles"> {
  readonly cells: readonly Cell[];
  readonly profile?: string;
  /** FILE:LINE:COLUMN of this key, or of the nearest around it. */
  near(path: readonly PropertyKey[]): string;
}
