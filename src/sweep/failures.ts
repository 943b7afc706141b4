/** Cells that failed, until they are done: failed/RECIPE-CELL-SEED.json in the store. */
import { z } from "zod";
import { parseJson } from "../files/json.ts";
import type { Store } from "../store/store.ts";
import type { Recipe } from "./recipe.ts";
import type { Unit } from "./units.ts";

const fileOf = ({ name, profile }: Recipe, { cell, seed }: Unit) =>
  `failed/${[name, profile, cell.name, seed.seed].filter((part) => part !== undefined).join("-")}.json`;

export const remember = (store: Store, recipe: Recipe, unit: Unit, message: string): Promise<void> =>
  store.write(fileOf(recipe, unit), `${JSON.stringify({ message })}\n`);

export const forget = (store: Store, recipe: Recipe, unit: Unit): Promise<void> => store.remove(fileOf(recipe, unit));

/** Why the unit failed, if it did when it was last tried. */
export async function failureOf(store: Store, recipe: Recipe, unit: Unit): Promise<string | undefined> {
  const path = fileOf(recipe, unit);
  const text = await store.read(path);
  if (text === undefined) return undefined;
  try {
    return z.looseObject({ message: z.string() }).safeParse(parseJson(Buffer.from(text), path)).data?.message;
  } catch {
    return undefined; // no JSON
  }
}
