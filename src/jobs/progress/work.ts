/** Work in progress in a folder, so that a killed job goes on where it was: trainings, counts of right answers, and the time they took. */
import { lstat, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Metric } from "../../engine/scorer.ts";
import type { StateFile } from "../../engine/training-state.ts";
import { writeFileAtomic } from "../../files/atomic.ts";
import { isFile, isFolder, parseAs, readJson } from "../../files/files.ts";
import { makeFolder } from "../../files/folder.ts";
import { checkRates } from "../../results/consistent.ts";
import { badInput } from "../../tensor/error.ts";
import { printable } from "../../tensor/printable.ts";
import type { Weights } from "../../tensor/tensor.ts";
import type { Clock } from "../record/facts.ts";

export interface Work {
  /** Where the training of this name is kept. */
  training(name: string): StateFile;
  /** The same metric, for weights that `nameOf` knows: what was counted before a kill is not counted again. */
  counted(metric: Metric, what: string, nameOf: (weights: Weights) => string | undefined): Metric;
  /** What `make` gives, from the file that it was kept in before a kill. */
  kept<Of extends object>(name: string, of: z.ZodType<Of>, make: () => Promise<Of>): Promise<Of>;
  /** The same work, of a part of the job: what it keeps has names of its own. */
  part(name: string): Work;
  /** Forget it all: the job is done. */
  remove(): Promise<void>;
}

const schema = z.strictObject({
  recipe: z.string(),
  timings: z
    .array(z.strictObject({ what: z.string().max(200), seconds: z.number().nonnegative().max(3.2e9) }))
    .max(1000),
  counts: z.record(z.string().max(1000), z.int().nonnegative()),
});

/**
 * Opens a folder of work, or begins one; `recipe` is all that decides how the job goes, and the clock goes on from where it was.
 * Throws `bad-input` on the work of another run.
 */
export async function openWork(folder: string, recipe: string, clock: Clock): Promise<Work> {
  const file = join(folder, "work.json");
  const inTheWay =
    (await isThere(folder)) && !(await isFolder(folder)) ? folder : (await isFolder(file)) ? file : undefined;
  if (inTheWay !== undefined)
    throw badInput(`${inTheWay} is in the way of work in progress; remove it or name another folder with --state`);
  await makeFolder(folder);
  const saved = (await isFile(file)) ? await readWork(file, recipe) : undefined;
  if (saved !== undefined) clock.resume(saved.timings);
  const counts: Record<string, number> = { ...saved?.counts };
  const files = new Set<string>();
  const text = () => `${JSON.stringify({ recipe, timings: clock.timings(), counts }, null, 1)}\n`;
  const save = () => writeFileAtomic(file, text(), { force: true });
  await save();
  const remove = async () => {
    for (const path of [file, ...files]) await rm(path, { force: true });
    await rmdir(folder).catch(() => {}); // not if something else is in it
  };
  const workOf = (part: string): Work => ({
    training(asked) {
      const name = `${part}${asked}`;
      const path = join(folder, `${name}.safetensors`);
      files.add(path);
      return { path, recipe: `${name}: ${recipe}`, onSave: save };
    },
    counted: (metric, what, nameOf) => ({
      size: metric.size,
      async hits(weights, from = 0, to = metric.size) {
        const name = nameOf(weights);
        if (name === undefined) return metric.hits(weights, from, to);
        const key = `${part}${what}, ${name}, images ${from} to ${to}`;
        if (Object.hasOwn(counts, key) && counts[key] > to - from)
          throw badInput(
            `${file} counts ${counts[key]} of ${to - from} images (${printable(key)}): no run of tbar left that; remove the folder`,
          );
        if (!Object.hasOwn(counts, key)) {
          counts[key] = await metric.hits(weights, from, to);
          await save();
        }
        return counts[key];
      },
    }),
    async kept(name, of, make) {
      const path = join(folder, `${part}${name}.json`);
      files.add(path);
      const whole = z.strictObject({ recipe: z.string(), value: of });
      const found = (await isFile(path)) ? await readKept(whole, path, keptLimits) : undefined;
      if (found !== undefined) return sameRecipe(found, recipe, path).value;
      const value = await make();
      await writeFileAtomic(path, `${JSON.stringify({ recipe, value })}\n`, { force: true });
      await save();
      return value;
    },
    part: (name) => workOf(`${part}${name}-`),
    remove,
  });
  return workOf("");
}

const isThere = (path: string) => lstat(path).then(Boolean, () => false);

const readWork = async (file: string, recipe: string) =>
  sameRecipe(await readKept(schema, file, { bytes: 16 * 2 ** 20 }), recipe, file);
/** Recovered triggers are pictures of numbers. */
const keptLimits = { bytes: 64 * 2 ** 20, values: 5e6, keys: 1e5 };

async function readKept<Of>(of: z.ZodType<Of>, file: string, limits: Parameters<typeof readJson>[1]): Promise<Of> {
  try {
    const json = await readJson(file, limits);
    checkRates(json, file);
    return parseAs(of, json, file);
  } catch (cause) {
    throw badInput(
      `${file} is no work in progress of tbar (${(cause as Error).message}); remove it or name another folder with --state`,
      cause,
    );
  }
}

function sameRecipe<Of extends { readonly recipe: string }>(saved: Of, recipe: string, file: string): Of {
  if (saved.recipe === recipe) return saved;
  throw badInput(
    `${file} is the work of another run (${printable(saved.recipe, 2000)}); remove it or name another folder with --state`,
  );
}
