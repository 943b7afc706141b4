/** A job at work, whoever asks for it: its spec checked, its outputs together, its context opened and released. */
import { dirname, resolve } from "node:path";
import type { z } from "zod";
import { refuseExisting } from "../files/atomic.ts";
import { isFolder, refusePickleName } from "../files/files.ts";
import { openSet } from "../files/output-set.ts";
import type { Frozen } from "../results/base.ts";
import type { Opened } from "../results/opened.ts";
import { joinOpened } from "../results/opened-line.ts";
import type { RuntimeOptions } from "../runtime/onnxruntime.ts";
import { badInput } from "../tensor/error.ts";
import { checkGiven, type Given, type Progress, silent, withContext } from "./context.ts";
import type { Job } from "./job.ts";
import { parseSpec } from "./spec.ts";

/** Run a job. Throws `bad-input` on a spec that does not fit, before anything is opened; the signal's reason when it is aborted. */
export async function runJob<Spec extends z.ZodObject, Result extends z.ZodType>(
  job: Job<Spec, Result>,
  asked: z.input<Spec>,
  given: Given = {},
): Promise<Frozen<z.output<Result>>> {
  checkGiven(given);
  given.signal?.throwIfAborted();
  const spec = parseSpec(job, asked);
  const set = await beginOutputs(job, spec);
  let opened: Opened | undefined;
  const told = given.progress ?? silent;
  const progress: Progress = {
    stage: (...given) => told.stage(...given),
    step: (...given) => told.step(...given),
    plan: (...given) => told.plan?.(...given),
    opened(found) {
      opened = joinOpened(opened, found);
      told.opened?.(found);
    },
  };
  try {
    const result = await withContext(spec as RuntimeOptions, { ...given, progress, set }, (context) =>
      job.run(spec, context),
    );
    await set?.finish();
    const isSaid = opened === undefined || "opened" in (result as object);
    return isSaid ? result : ({ ...(result as object), opened } as typeof result);
  } catch (error) {
    await set?.fail();
    throw error;
  }
}

/** What the job would take. Throws as the job would, as far as that shows beforehand. */
export async function planJob<Spec extends z.ZodObject>(job: Job<Spec>, asked: z.input<Spec>, given: Given = {}) {
  given.signal?.throwIfAborted();
  const spec = parseSpec(job, asked);
  if (job.plan === undefined) throw badInput(`tbar ${job.name} takes moments: there is nothing to estimate`);
  const set = await beginOutputs(job, spec);
  return withContext(spec as RuntimeOptions, { ...given, set }, (context) => job.plan!(spec, context));
}

/**
 * The outputs of a job, which from here on belong together. Throws `bad-input` when two are one, one exists (without `force`; but what an
 * unfinished run of the same job left is there to be replaced), has no folder to lie in, or a name that only a pickle may have.
 */
async function beginOutputs<Spec extends z.ZodObject>(job: Job<Spec>, spec: z.output<Spec>) {
  const paths = ((await job.outputs?.(spec)) ?? []).filter((path) => path !== undefined);
  if (paths.length === 0) return undefined;
  const twice = paths.find((path, i) => paths.findIndex((other) => resolve(other) === resolve(path)) !== i);
  if (twice !== undefined) throw badInput(`${twice} is named for two outputs`);
  const set = await openSet(paths[0], job.name);
  const { force } = spec as { readonly force?: boolean };
  for (const path of paths) await refuseExisting(path, { force, set });
  const made = job.creates?.(spec);
  for (const path of [...paths, ...(made === undefined ? [] : [made])]) {
    refusePickleName(path);
    if (dirname(path) === made || (await isFolder(dirname(resolve(path))))) continue;
    throw badInput(`cannot write ${path}: there is no folder ${dirname(path)}`);
  }
  return set;
}
