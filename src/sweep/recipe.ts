/** A recipe: a table or figure of a paper as cells, seeds and steps, in YAML. docs/sweeps.md explains each key. */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { isFile } from "../files/files.ts";
import { merged, readYaml, type Settings } from "../files/yaml.ts";
import { badInput, unknownName } from "../tensor/error.ts";
import { printable } from "../tensor/printable.ts";

const word = z.string().regex(/^[a-z0-9][\w-]*$/i, "letters, digits and hyphens");
const values = z.record(z.string(), z.unknown());
const cell = z.looseObject({ name: word, seeds: z.array(z.int()).optional() });
const seed = z.union([z.int().transform((seed) => ({ seed })), z.looseObject({ seed: z.int() })]);

/** A number of a table: a path into results, or a constant; with `minus` and `over` it is (value - minus) / over. */
export type Term = string | number | Figured;
interface Figured {
  readonly value: Term;
  readonly minus?: Term;
  readonly over?: Term;
}
const term: z.ZodType<Term> = z.lazy(() => z.union([z.string(), z.number(), z.strictObject(figured)]));
const figured = { value: term, minus: term.optional(), over: term.optional() };

const figure = z.strictObject({
  name: z.string(),
  ...figured,
  /** Where its 95 % interval stands, if anywhere; else that of its terms is taken. */
  interval: z.string().optional(),
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

const recipe = z.strictObject({
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

const shipped = new URL("../../recipes/", import.meta.url);

/** The recipes that come with tbar, by name. */
export function recipeNames(): readonly string[] {
  return readdirSync(shipped).filter((name) => name.endsWith(".yaml")).map((name) => name.slice(0, -5)).sort(); // biome-ignore format: one line
}

/**
 * A recipe by its file, or by the name of one that ships with tbar, with the parts that a profile replaces. Throws `bad-input` naming
 * file, line and column of what does not fit.
 */
export async function readRecipe(
  asked: string,
  { profile: name, set = [] }: { readonly profile?: string; readonly set?: readonly string[] } = {},
): Promise<Recipe> {
  const isShipped = recipeNames().includes(asked);
  const path = isShipped ? fileURLToPath(new URL(`${asked}.yaml`, shipped)) : asked;
  if (!isShipped && !/[./\\]/.test(asked) && !(await isFile(path))) known("recipe", [asked], recipeNames());
  const file = await readYaml(path, { bytes: 2 ** 20, aliases: 1000, merge: true });
  const parsed = recipe.safeParse(file.value);
  if (!parsed.success) throw misfit(file, parsed.error.issues[0]);
  const { profiles, cells, ...rest } = parsed.data;
  const all = Array.isArray(cells) ? cells : product(cells.grid);
  const [cellNames, ids] = [all.map(({ name }) => name), rest.steps.map(({ id }) => id)];
  const twice = [...cellNames, ...ids].find((one, i, names) => names.indexOf(one) !== i);
  if (twice !== undefined) throw badInput(`${file.near(["cells"])}: "${twice}" names two cells or steps`);
  if (name !== undefined) known("profile", [name], Object.keys(profiles));
  const profile = name === undefined ? {} : profiles[name];
  known("cell", profile.cells, cellNames);
  known("step", Object.keys(profile.steps ?? {}), ids);
  for (const { cells } of rest.table.figures) known("cell", cells, cellNames);
  known("cell", rest.published.map(({ cell }) => cell), cellNames); // biome-ignore format: one line
  return {
    ...rest,
    ...(name !== undefined && { profile: name }),
    seeds: profile.seeds ?? rest.seeds,
    values: merged(merged(rest.values, profile.values ?? {}), Object.fromEntries(set.map(assignment))),
    cells: all
      .filter(({ name }) => profile.cells?.includes(name) ?? true)
      .map((cell) => merged(cell, profile.cell ?? {}) as Cell),
    steps: rest.steps.map((step) => ({ ...step, spec: merged(step.spec, profile.steps?.[step.id] ?? {}) })),
    near: file.near,
  };
}

/** Throws `bad-input` on the first name that is not among the known. */
export function known(kind: string, names: readonly string[] = [], all: readonly string[]): void {
  const strange = names.find((name) => !all.includes(name));
  if (strange !== undefined) throw unknownName(kind, strange, all);
}

function assignment(text: string): readonly [string, string] {
  const [, name, value] = /^([\w-]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined) throw badInput(`--set ${printable(text)}: it should be NAME=VALUE`);
  return [name, value];
}

/** Cells of a grid, named by the values of their axes (or their `name`) with hyphens between. */
function product(grid: Readonly<Record<string, readonly unknown[]>>): readonly Cell[] {
  const label = (value: unknown) =>
    String((value as { name?: unknown } | null)?.name ?? value).replace(/[^\w-]+/g, "_");
  return Object.entries(grid).reduce<readonly Cell[]>(
    (cells, [axis, values]) =>
      cells.flatMap((cell) =>
        values.map((value) => ({ ...cell, [axis]: value, name: [cell.name, label(value)].filter(Boolean).join("-") })),
      ),
    [{ name: "" }],
  );
}

/** The innermost thing that is wrong, where it stands. */
function misfit(file: Settings, issue: z.core.$ZodIssue, above: readonly PropertyKey[] = []): Error {
  const where = [...above, ...issue.path];
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    const [nearest] = [...issue.errors].sort((a, b) => (b[0]?.path.length ?? 0) - (a[0]?.path.length ?? 0));
    return misfit(file, nearest[0], where);
  }
  const key = issue.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
  const fault = key.length > 0 ? `unknown key "${printable(key[0])}"` : issue.message;
  return badInput(`${file.near([...where, ...key])}: ${where.join(".") || "recipe"}: ${fault}`);
}
