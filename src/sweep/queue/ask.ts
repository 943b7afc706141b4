/** A sweep that others compute: its cells are put into the queue, and waited for. */
import { setTimeout as wait } from "node:timers/promises";
import type { Context } from "../../jobs/context.ts";
import { TbarError } from "../../tensor/error.ts";
import type { Recipe } from "../recipe.ts";
import { follow, nameOf, type Place, type Unit } from "../units.ts";
import { type Asked, idOf, type Outcome, queuedCells } from "./cell.ts";
import { openServer, type Server } from "./server.ts";

interface Waiting {
  readonly unit: Unit;
  readonly id: string;
}

/** Between two looks at what waits, and how many cells at most are looked at each time. */
const [pause, atOnce] = [500, 200];
/** Network file systems show a new file after seconds. */
const late = 20_000;
/** Of finished cells the queue keeps what became of them for so many seconds. */
const kept = { age: 24 * 3600 };

/**
 * Throws the signal's reason when it is aborted: cells that wait are then taken out of the queue, those that run are finished by their
 * workers. A server that is away for a while is waited for.
 */
export async function askFor(
  url: string,
  asked: Asked,
  {
    recipe,
    units,
    ...place
  }: Pick<Place, "store" | "jobs"> & { readonly recipe: Recipe; readonly units: readonly Unit[] },
  { progress, signal }: Pick<Context, "progress" | "signal">,
): Promise<ReadonlyMap<Unit, string>> {
  const failed = new Map<Unit, string>();
  const isDone = async (unit: Unit) => (await follow(recipe, unit, place)).left.length === 0;
  const left: Unit[] = [];
  for (const unit of units) if (!(await isDone(unit))) left.push(unit);
  if (left.length === 0) return failed;
  progress.stage("queue");
  const server = await openServer(url);
  const cells = await queuedCells(place.store, asked, left);
  const add = (i: number) => server.queue.add(nameOf(left[i]), cells[i], { jobId: idOf(cells[i]), removeOnComplete: kept, removeOnFail: kept, attempts: 1 }); // biome-ignore format: one line
  let waiting: Waiting[] = left.map((unit, i) => ({ unit, id: idOf(cells[i]) }));
  /** What became of the cell; undefined as long as it waits or runs. */
  const look = async ({ id, unit }: Waiting): Promise<Outcome | undefined> => {
    signal?.throwIfAborted();
    const job = await server.queue.getJob(id);
    const state = await job?.getState();
    if (state === undefined || state === "unknown") await add(left.indexOf(unit));
    if (state !== "completed" && state !== "failed") return undefined;
    const message = state === "failed" ? job?.failedReason : (job?.returnvalue as Outcome | undefined)?.message;
    if (message !== undefined) return { message };
    if (await within(late, () => isDone(unit), signal)) return {};
    return { message: `a worker says that it is done, and ${place.store.name} has no results of it: do all machines share this store?` }; // biome-ignore format: one line
  };
  try {
    for (const [i, { id }] of waiting.entries()) {
      await forgetFinished(server, id); // its results are not in the store, whatever became of it
      await add(i);
    }
    while (waiting.length > 0) {
      signal?.throwIfAborted();
      for (const one of waiting.slice(0, atOnce)) {
        const ended = await look(one).catch((error: Error) => {
          if (signal?.aborted || error instanceof TbarError) throw error;
          return undefined; // the server is away
        });
        if (ended?.message !== undefined) failed.set(one.unit, ended.message);
        if (ended !== undefined) waiting = waiting.filter((other) => other !== one);
      }
      waiting = [...waiting.slice(atOnce), ...waiting.slice(0, atOnce)];
      const running = await server.queue.getActiveCount().catch(() => undefined);
      const note = running === undefined ? "the queue does not answer" : `${running} at work`;
      progress.step(left.length - waiting.length, left.length, `cells; ${note}`);
      if (waiting.length > 0) await wait(pause, undefined, { signal });
    }
  } finally {
    if (signal?.aborted) await Promise.race([takeOut(server, waiting).catch(() => {}), wait(2000)]); // the server may be away
    await server.close();
  }
  return failed;
}

async function forgetFinished({ queue }: Server, id: string): Promise<void> {
  const job = await queue.getJob(id);
  const state = await job?.getState();
  if (state === "completed" || state === "failed") await job?.remove();
}

/** Cells that nobody works at yet. */
async function takeOut({ queue }: Server, waiting: readonly Waiting[]): Promise<void> {
  for (const { id } of waiting) {
    const job = await queue.getJob(id).catch(() => undefined);
    if ((await job?.getState()) === "waiting") await job?.remove().catch(() => {}); // a worker may have been faster
  }
}

async function within(ms: number, is: () => Promise<boolean>, signal?: AbortSignal): Promise<boolean> {
  for (const end = Date.now() + ms; ; ) {
    if (await is()) return true;
    if (Date.now() >= end) return false;
    await wait(pause, undefined, { signal });
  }
}
