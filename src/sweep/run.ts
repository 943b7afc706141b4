/** A sweep at work: units side by side, each step in a process of its own, what is in the store left alone. */
import { lstat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { runInChild } from "../jobs/child.ts";
import type { Context } from "../jobs/context.ts";
import type { Job } from "../jobs/job.ts";
import { openArea } from "./area.ts";
import { forget, remember } from "./failures.ts";
import type { Recipe } from "./recipe.ts";
import { scoreboard } from "./scoreboard.ts";
import { follow, nameOf, type Place, type Ready, type Unit } from "./units.ts";

type Result = Readonly<Record<string, unknown>>;

/** Runs one job and gives its result. */
export type Perform = (job: Job, spec: object, given: Pick<Context, "progress" | "signal">) => Promise<Result>;

export interface Sweep extends Omit<Place, "models"> {
  readonly units: readonly Unit[];
  /** Steps at a time. */
  readonly workers: number;
  /** Of each step; all there are, shared among those at a time, unless told. */
  readonly threads?: number;
  readonly perform?: Perform;
}

export interface Swept {
  /** Units that failed, and why. */
  readonly failed: ReadonlyMap<Unit, string>;
  /** Steps that were run; the others were in the store. */
  readonly ran: number;
}

/**
 * Runs what the store has not. A unit that fails is told of in the end, and the others go on. Throws the signal's reason when it is
 * aborted; what was finished by then is kept, and the same sweep goes on from there.
 */
export async function runSweep(recipe: Recipe, sweep: Sweep, { progress, signal }: Context): Promise<Swept> {
  const { units, workers, store, perform = inChild } = sweep;
  const area = await openArea<Unit>(store.folder);
  const place = { ...sweep, models: area.folder };
  const threads = sweep.threads ?? Math.max(1, Math.floor(availableParallelism() / workers));
  const board = scoreboard(progress);
  const done: Unit[] = [];
  for (const unit of units) {
    const { ready, left } = await follow(recipe, unit, place);
    for (const { hash, step, result } of ready) {
      area.uses(unit, hash);
      if (typeof result?.seconds === "number") board.learn(step.id, result.seconds);
    }
    board.expect(left);
    if (left.length === 0) done.push(unit);
  }
  for (const unit of done) await area.done(unit);
  let ran = 0;
  /** One step of several units is run once. */
  const running = new Map<string, Promise<Result>>();
  const once = (hash: string, work: () => Promise<Result>) => {
    const known = running.get(hash) ?? work().finally(() => running.delete(hash));
    running.set(hash, known);
    return known;
  };

  /** The job of a step, after those that make the models it asks for. */
  const run = async (ready: Ready, unit: Unit): Promise<Result> => {
    for (const need of ready.needs) if (!(await isThere(need.out!))) await once(need.hash, () => run(need, unit));
    const { job, spec, out, hash, address, step } = ready;
    area.uses(unit, hash);
    const has = (field: string) => field in job.spec.shape;
    const machine = {
      ...(has("threads") && { threads: spec.threads ?? threads }),
      ...(has("state") && (job.resumes?.(spec) ?? true) && { state: join(area.folder, `${hash}.state`) }),
      ...(out !== undefined && { out, force: true }),
    };
    const begun = performance.now();
    const told = board.begin(step.id, nameOf(unit));
    try {
      const result = await perform(job, { ...spec, ...machine }, { progress: told.progress, signal });
      if (ready.result === undefined) await store.put(address, result);
      ran += 1;
      board.learn(step.id, (performance.now() - begun) / 1000);
      return result;
    } finally {
      told.end();
    }
  };
  const failed = new Map<Unit, string>();
  const finish = async (unit: Unit) => {
    try {
      await follow(recipe, unit, place, async (ready) => {
        area.uses(unit, ready.hash);
        await once(ready.hash, () => run(ready, unit));
        return (await store.get(ready.hash))?.result; // as it reads there, whoever made it
      });
      await forget(store, recipe, unit);
      await area.done(unit);
    } catch (error) {
      signal?.throwIfAborted();
      const message = error instanceof Error ? error.message : String(error);
      failed.set(unit, message);
      await remember(store, recipe, unit, message);
    }
  };
  try {
    const queue = units.values(); // one for all workers
    const worker = async () => {
      for (const unit of queue) {
        signal?.throwIfAborted();
        await finish(unit);
      }
    };
    const ended = await Promise.allSettled(Array.from({ length: workers }, worker)); // none is left behind
    for (const one of ended) if (one.status === "rejected") throw one.reason;
  } finally {
    await area.leave();
  }
  return { failed, ran };
}

const inChild: Perform = (job, spec, given) => runInChild(job.name, spec, given);

const isThere = (path: string) => lstat(path).then(Boolean, () => false);
