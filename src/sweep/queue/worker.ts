/** A worker: takes cells from the queue, one after another or several at a time, and computes them into the store that all share. */
import { setTimeout as wait } from "node:timers/promises";
import type { z } from "zod";
import { makeFolder } from "../../files/folder.ts";
import type { Context } from "../../jobs/context.ts";
import type { WorkerResult } from "../../results/sweep.ts";
import { openStore } from "../../store/store.ts";
import { runSweep, type Sweep } from "../run.ts";
import type { workerSpec } from "../specs.ts";
import { nameOf } from "../units.ts";
import { type Outcome, openCell } from "./cell.ts";
import { type CellJob, openServer } from "./server.ts";

/** Other jobs than ours, or another way to run them. */
type Own = Pick<Sweep, "jobs" | "perform">;

/** How often it is looked whether the queue is empty. */
const pause = 300;
/** How long a worker that is stopped waits at most until its cells are put back. */
const patience = 2000;

/**
 * Works until it is stopped, or with `untilEmpty` until nothing waits or runs any more. Stopped, it puts back the cells that it was at:
 * they go on elsewhere. Each cell runs in processes of its own, so that this one can renew its lock while they compute.
 */
export async function work(spec: z.output<typeof workerSpec>, context: Context, own: Own = {}): Promise<WorkerResult> {
  const begun = performance.now();
  const { progress, signal } = context;
  progress.stage("queue");
  const store = openStore(spec.store);
  await store.read("is-it-there"); // a bucket that cannot be read is no fault of a cell
  const server = await openServer(spec.queue);
  await makeFolder(store.folder);
  const { WaitingError } = await import("bullmq");
  const computing = new Set<Promise<unknown>>();
  const [failed, running] = [new Map<string, string>(), new Set<string>()];
  let done = 0;
  const compute = async (job: CellJob, token: string | undefined): Promise<Outcome> => {
    const outcome = async (): Promise<Outcome> => {
      const { recipe, unit } = await openCell(store, job.data);
      running.add(nameOf(unit));
      const tell = () => progress.step(done, done + running.size, `cells; ${[...running].join("; ") || "waiting"}`);
      tell();
      try {
        const { jobs: workers, threads } = spec;
        const sweep = { units: [unit], store, workers, ...(threads !== undefined && { threads }), ...own };
        const [message] = (await runSweep(recipe, sweep, { ...context, progress: { stage: () => {}, step: tell } })).failed.values(); // biome-ignore format: one line
        if (message !== undefined) failed.set(nameOf(unit), message);
        else done++;
        return message === undefined ? {} : { message };
      } finally {
        running.delete(nameOf(unit));
        tell();
      }
    };
    const cell = outcome().catch(async (error: Error) => {
      if (!signal?.aborted) {
        failed.set(job.name, error.message);
        return { message: error.message };
      }
      await job.moveToWait(token).catch(() => {}); // for others; where the server is away they take it when the lock has run out
      throw new WaitingError();
    });
    computing.add(cell);
    return cell.finally(() => computing.delete(cell));
  };
  const worker = server.work(compute, { jobs: spec.jobs, lock: 1000 * spec.lock });
  const isIdle = async () => {
    const counts = await server.queue
      .getJobCounts("waiting", "active", "delayed", "prioritized")
      .catch(() => undefined);
    if (counts === undefined) return false; // the server is away
    return Object.values(counts).every((count) => count === 0);
  };
  try {
    while (!signal?.aborted && !(spec.untilEmpty && running.size === 0 && (await isIdle())))
      await wait(pause, undefined, { signal }).catch(() => {});
    signal?.throwIfAborted();
  } finally {
    await worker.pause(true).catch(() => {});
    await Promise.race([Promise.allSettled(computing), wait(patience, undefined, { ref: false })]); // cells are put back, unless the server is away
    await server.close();
  }
  return {
    schema: "tbar/sweep-worker/1",
    kind: "sweep-worker",
    store: spec.store,
    done,
    failed: [...failed].map(([cell, message]) => ({ cell, message })),
    seconds: (performance.now() - begun) / 1000,
  };
}
