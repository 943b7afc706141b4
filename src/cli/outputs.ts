/** Outputs are checked before an hour is spent on them. */
import { dirname, resolve } from "node:path";
import { badInput } from "../tensor/error.ts";
import type { Job } from "./outcome.ts";

type Paths = readonly (string | undefined)[];

/**
 * The outputs of a command, the main one first, those undefined left out: from here on they belong together. Throws `bad-input` when
 * two are one, or one exists, without `force`; but what an unfinished run of the same command left is there to be replaced.
 */
export async function beginOutputs(paths: Paths, force: boolean | undefined, job: Job): Promise<void> {
  const { refuseExisting } = await import("../files/atomic.ts");
  const { openSet } = await import("../files/output-set.ts");
  const given = paths.filter((path) => path !== undefined);
  if (given.length === 0) return;
  const twice = given.find((path, i) => given.findIndex((other) => resolve(other) === resolve(path)) !== i);
  if (twice !== undefined) throw badInput(`${twice} is named for two outputs`);
  job.set ??= await openSet(given[0], job.name);
  for (const path of given) await refuseExisting(path, { force, set: job.set });
}

/** Throws also when one of them has no place to be. */
export async function checkOutputs(paths: Paths, force: boolean | undefined, job: Job): Promise<void> {
  await beginOutputs(paths, force, job);
  await checkPlaces(paths);
}

/** Throws `bad-input` when a path has no folder to lie in, or a name that only a pickle may have. */
export async function checkPlaces(paths: Paths): Promise<void> {
  const { isFolder, refusePickleName } = await import("../files/files.ts");
  for (const path of paths) {
    if (path === undefined) continue;
    refusePickleName(path);
    if (await isFolder(dirname(resolve(path)))) continue;
    throw badInput(`cannot write ${path}: there is no folder ${dirname(path)}`);
  }
}
