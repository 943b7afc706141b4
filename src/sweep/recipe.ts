/** A recipe: a table or figure of a paper as cells, seeds and steps, in YAML. docs/sweeps.md explains each key. */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { z } from "zod";
import { isFile } from "../files/files.ts";
import { merged, readYaml, type Settings } from "../files/yaml.ts";
import { badInput, unknownName } from "../tensor/error.ts";
import { printable } from "../tensor/printable.ts";
import { checkRecipe } from "./check-recipe.ts";
import { type Cell, finalCell, mostCells, type Recipe, recipe } from "./recipe-schema.ts";

export type { Cell, Figure, Recipe, Seed, Step, Term } from "./recipe-schema.ts";

const shipped = new URL("../../recipes/", import.meta.url);

/** The recipes that come with tbar, by name. */
export function recipeNames(): readonly string[] {
  return readdirSync(shipped).filter((name) => name.endsWith(".yaml")).map((name) => name.slice(0, -5)).sort(); // biome-ignore format: one line
}

/** The file of a recipe that ships with tbar, or the one that was named. Throws `bad-input` where it can be neither. */
export async function recipePath(asked: string): Promise<string> {
  if (recipeNames().includes(asked)) return fileURLToPath(new URL(`${asked}.yaml`, shipped));
  if (!/[./\\]/.test(asked) && !(await isFile(asked))) known("recipe", [asked], recipeNames());
  return asked;
}

/**
 * A recipe by its file, or by the name of one that ships with tbar, with the parts that a profile replaces. Throws `bad-input` naming
 * file, line and column of what does not fit.
 */
export async function readRecipe(
  asked: string,
  { profile: name, set = [] }: { readonly profile?: string; readonly set?: readonly string[] } = {},
): Promise<Recipe> {
  const file = await readYaml(await recipePath(asked), { bytes: 2 ** 20, aliases: 1000, merge: true });
  const parsed = recipe.safeParse(file.value);
  if (!parsed.success) throw misfit(file, parsed.error.issues[0]);
  const { profiles, cells, ...rest } = parsed.data;
  const all = Array.isArray(cells) ? cells : product(cells.grid, file.near(["cells", "grid"]));
  const [cellNames, ids] = [all.map(({ name }) => name), rest.steps.map(({ id }) => id)];
  if (name !== undefined) known("profile", [name], Object.keys(profiles));
  const profile = name === undefined ? {} : profiles[name];
  const laid = all.map((cell) => checkedCell(merged(cell, profile.cell ?? {}), cell.name, file.near(["cells"])));
  const own = merged(rest.values, profile.values ?? {});
  const worked: Recipe = {
    ...rest,
    ...(name !== undefined && { profile: name }),
    seeds: profile.seeds ?? rest.seeds,
    values: merged(own, Object.fromEntries(set.map((text) => assignment(text, own)))),
    cells: laid,
    steps: rest.steps.map((step) => ({ ...step, spec: merged(step.spec, profile.steps?.[step.id] ?? {}) })),
    near: file.near,
  };
  checkRecipe(worked);
  known("cell", profile.cells, cellNames);
  known("step", Object.keys(profile.steps ?? {}), ids);
  for (const { cells } of rest.table.figures) known("cell", cells, cellNames);
  known("cell", rest.published.map(({ cell }) => cell), cellNames); // biome-ignore format: one line
  return { ...worked, cells: worked.cells.filter(({ name }) => profile.cells?.includes(name) ?? true) };
}

function checkedCell(made: object, name: string, at: string): Cell {
  const { data, error } = finalCell.safeParse(made);
  if (data !== undefined) return data;
  const [{ path, message }] = error.issues;
  throw badInput(`${at}: cell "${printable(name, 100)}": ${path.join(".")}: ${message}`);
}

/** Throws `bad-input` on the first name that is not among the known. */
export function known(kind: string, names: readonly string[] = [], all: readonly string[]): void {
  const strange = names.find((name) => !all.includes(name));
  if (strange !== undefined) throw unknownName(kind, strange, all);
}

/** A text, or of the type that the recipe's own value has. */
function assignment(text: string, own: Readonly<Record<string, unknown>>): readonly [string, unknown] {
  const [, name, value] = /^([\w-]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined) throw badInput(`--set ${printable(text)}: it should be NAME=VALUE`);
  if (!Object.hasOwn(own, name)) throw unknownName("value of the recipe", name, Object.keys(own));
  const type = typeof own[name];
  if (type === "boolean" && (value === "true" || value === "false")) return [name, value === "true"];
  return [name, type === "number" && value.trim() !== "" && Number.isFinite(Number(value)) ? Number(value) : value];
}

/** Cells of a grid, named by the values of their axes (or their `name`) with hyphens between. */
function product(grid: Readonly<Record<string, readonly unknown[]>>, at: string): readonly Cell[] {
  const count = Object.values(grid).reduce((count, values) => count * values.length, 1);
  if (count > mostCells) throw badInput(`${at}: a grid of ${count} cells; ${mostCells} are the most`);
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
