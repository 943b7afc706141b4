/** Cells that failed, until they are done: FOLDER/failed/RECIPE-CELL-SEED.json. */
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../files/atomic.ts";
import { readJson } from "../files/files.ts";
import type { Store } from "../store/store.ts";
import type { Recipe } from "./recipe.ts";
import type { Unit } from "./units.ts";

const fileOf = ({ folder }: Store, { name, profile }: Recipe, { cell, seed }: Unit) =>
  join(
    folder,
    "failed",
    `${[name, profile, cell.name, seed.seed].filter((part) => part !== undefined).join("-")}.json`,
  );

export async function remember(store: Store, recipe: Recipe, unit: Unit, message: string): Promise<void> {
  const file = fileOf(store, recipe, unit);
  await mkdir(dirname(file), { recursive: true });
  await writeFileAtomic(file, `${JSON.stringify({ message })}\n`, { force: true });
}

export async function forget(store: Store, recipe: Recipe, unit: Unit): Promise<void> {
  await rm(fileOf(store, recipe, unit), { force: true });
}

/** Why the unit failed, if it did when it was last tried. */
export async function failureOf(store: Store, recipe: Recipe, unit: Unit): Promise<string | undefined> {
  const read = await readJson(fileOf(store, recipe, unit)).catch(() => undefined);
  return z.looseObject({ message: z.string() }).safeParse(read).data?.message;
}
