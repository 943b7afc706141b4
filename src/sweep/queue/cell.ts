/** A cell with a seed on its way to a worker: names alone. The recipe's text lies in the store, which all machines share. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../../files/atomic.ts";
import { parseAs } from "../../files/files.ts";
import { makeFolder } from "../../files/folder.ts";
import { version } from "../../files/version.ts";
import type { Store } from "../../store/store.ts";
import { badInput } from "../../tensor/error.ts";
import { type Recipe, readRecipe, recipePath } from "../recipe.ts";
import { type Unit, unitsOf } from "../units.ts";

const queued = z.strictObject({
  /** SHA-256 of the recipe's text. */
  recipe: z.string().regex(/^[0-9a-f]{64}$/),
  profile: z.string().optional(),
  set: z.array(z.string()),
  cell: z.string(),
  seed: z.number(),
  /** A worker of another version computes other results. */
  tbar: z.string(),
});
export type QueuedCell = z.output<typeof queued>;

/** What became of a cell: done, or why not. */
export interface Outcome {
  readonly message?: string;
}

export interface Asked {
  readonly recipe: string;
  readonly profile?: string;
  readonly set?: readonly string[];
}

const sha256 = (text: string | Uint8Array) => createHash("sha256").update(text).digest("hex");
const fileOf = (hash: string) => `recipes/${hash}.yaml`;

/** Puts the recipe into the store; gives what a worker is told of each of its cells. */
export async function queuedCells(store: Store, asked: Asked, units: readonly Unit[]): Promise<readonly QueuedCell[]> {
  const text = await readFile(await recipePath(asked.recipe), "utf8");
  const hash = sha256(text);
  await store.write(fileOf(hash), text);
  const { profile, set = [] } = asked;
  const common = { recipe: hash, ...(profile !== undefined && { profile }), set: [...set], tbar: version };
  return units.map(({ cell, seed }) => ({ ...common, cell: cell.name, seed: seed.seed }));
}

/** The same cell has the same id, whoever asks for it: it is in the queue once. */
export const idOf = (cell: QueuedCell): string => sha256(JSON.stringify(cell));

/** What a worker was told, worked out. Throws `bad-input` on anything that is no cell of a recipe in this store. */
export async function openCell(store: Store, told: unknown): Promise<{ readonly recipe: Recipe; readonly unit: Unit }> {
  const { recipe: hash, profile, set, cell, seed, tbar } = parseAs(queued, told, "what the queue holds");
  if (tbar !== version) throw badInput(`asked for by tbar ${tbar}, and this is ${version}: results would not be the same`); // biome-ignore format: one line
  const text = await store.read(fileOf(hash));
  if (text === undefined)
    throw badInput(`there is no ${fileOf(hash)} in ${store.name}: do all machines share this store?`);
  if (sha256(text) !== hash) throw badInput(`${fileOf(hash)} in ${store.name} is not the recipe that was asked for`);
  const path = join(store.folder, fileOf(hash)); // of a bucket a copy, on this machine
  await makeFolder(dirname(path));
  await writeFileAtomic(path, text, { force: true });
  const recipe = await readRecipe(path, { ...(profile !== undefined && { profile }), set });
  const unit = unitsOf(recipe, [cell]).find((one) => one.seed.seed === seed);
  if (unit === undefined) throw badInput(`the recipe ${recipe.name} has no cell ${cell} with seed ${seed}`);
  return { recipe, unit };
}
