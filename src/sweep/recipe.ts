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
  /** "FILE:LINE:COLUMN: ", of the nearest key that is in the file. */
  place(...path: readonly PropertyKey[]): string;
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
  const known = recipeNames();
  const path = known.includes(asked) ? fileURLToPath(new URL(`${asked}.yaml`, shipped)) : asked;
  if (path === asked && !(await isFile(path)) && !/[./\\]/.test(asked)) throw unknownName("recipe", asked, known);
  const file = await readYaml(path, { bytes: 2 ** 20, aliases: 1000, merge: true });
  const parsed = recipe.safeParse(file.value);
  if (!parsed.success) throw misfit(file, path, parsed.error.issues[0]);
  const { profiles, cells, ...rest } = parsed.data;
  const { profile = {} } =
    name === undefined ? {} : { profile: profiles[name] ?? unknown("profile", name, Object.keys(profiles)) };
  const place = (...path: readonly PropertyKey[]) => {
    for (let n = path.length; n > 0; n--) {
      const at = file.at(path.slice(0, n));
      if (at !== undefined) return `${at}: `;
    }
    return "";
  };
  const all = Array.isArray(cells) ? cells : product(cells.grid);
  const twice = [...all.map(({ name }) => name), ...rest.steps.map(({ id }) => id)].find(
    (one, i, names) => names.indexOf(one) !== i,
  );
  if (twice !== undefined) throw badInput(`${place("cells")}"${twice}" names two cells or steps`);
  for (const cell of profile.cells ?? []) if (!all.some(({ name }) => name === cell)) unknown("cell", cell, all.map(({ name }) => name)); // biome-ignore format: one line
  for (const id of Object.keys(profile.steps ?? {})) if (!rest.steps.some((step) => step.id === id)) unknown("step", id, rest.steps.map(({ id }) => id)); // biome-ignore format: one line
  return {
    ...rest,
    ...(name !== undefined && { profile: name }),
    seeds: profile.seeds ?? rest.seeds,
    values: merged(merged(rest.values, profile.values ?? {}), Object.fromEntries(set.map(assignment))),
    cells: all
      .filter(({ name }) => profile.cells?.includes(name) ?? true)
      .map((cell) => merged(cell, profile.cell ?? {}) as Cell),
    steps: rest.steps.map((step) => ({ ...step, spec: merged(step.spec, profile.steps?.[step.id] ?? {}) })),
    place,
  };
}

function unknown(kind: string, name: string, known: readonly string[]): never {
  throw unknownName(kind, name, known);
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
function misfit(file: Settings, path: string, issue: z.core.$ZodIssue, above: readonly PropertyKey[] = []): Error {
  const where = [...above, ...issue.path];
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    const nearest = [...issue.errors].sort((a, b) => (b[0]?.path.length ?? 0) - (a[0]?.path.length ?? 0))[0];
    return misfit(file, path, nearest[0], where);
  }
  if (issue.code === "unrecognized_keys") {
    const [key] = issue.keys;
    const place = file.at([...where, key]) ?? path;
    return badInput(`${place}: unknown key "${printable(key)}"${where.length > 0 ? ` of ${where.join(".")}` : ""}`);
  }
  let n = where.length;
  while (n > 0 && file.at(where.slice(0, n)) === undefined) n--;
  return badInput(`${n > 0 ? file.at(where.slice(0, n)) : path}: ${where.join(".") || "recipe"}: ${issue.message}`);
}
