/**
 * The queue of cells on a Redis or PostgreSQL server that all machines reach: BullMQ, which is installed beside tbar by whoever wants it.
 * It hands each cell to one worker, renews its lock as long as the worker lives, and gives it to another when it does not.
 */
import { setTimeout as wait } from "node:timers/promises";
import type { Job, Queue, Worker, WorkerOptions } from "bullmq";
import { badInput, TbarError } from "../../tensor/error.ts";
import { printable } from "../../tensor/printable.ts";
import type { Outcome, QueuedCell } from "./cell.ts";

export type CellQueue = Queue<QueuedCell, Outcome>;
export type CellJob = Job<QueuedCell, Outcome>;
type Process = (job: CellJob, token: string | undefined) => Promise<Outcome>;

export interface Server {
  readonly queue: CellQueue;
  /** Begins to take cells at once; a cell whose worker is not heard of for `lock` milliseconds goes to another. */
  work(process: Process, options: { readonly jobs: number; readonly lock: number }): Worker<QueuedCell, Outcome>;
  close(): Promise<void>;
}

const name = "tbar-cells";
const install = { "redis:": "bullmq ioredis", "rediss:": "bullmq ioredis", "postgres:": "bullmq pg", "postgresql:": "bullmq pg" } as const; // biome-ignore format: one line
/** How long a server may take to answer at first; later it may be away for as long as it likes. */
const patience = 10_000;
/** How long it is told goodbye to: it may be away. */
const farewell = 5000;

/** Throws `bad-input` on another kind of address, `unavailable` where the packages are not installed or nobody answers. */
export async function openServer(url: string): Promise<Server> {
  const { protocol, host } = parsed(url);
  const bull = await import("bullmq").catch((cause) => {
    throw lacking(protocol, cause);
  });
  const isPostgres = protocol.startsWith("postgres");
  const connection = isPostgres ? { connectionString: url, schema: "tbar", migrate: true } : { url, maxRetriesPerRequest: null }; // biome-ignore format: one line
  const classes = (isPostgres ? bull.withBackend(bull.createPostgresBackend) : bull) as typeof bull;
  const base = { connection } as object as Pick<WorkerOptions, "connection">;
  if (!isPostgres) await knock(url, protocol, host);
  let last: Error | undefined;
  const told = (error: Error) => void (last = error); // it comes back by itself
  let queue: CellQueue;
  try {
    queue = new classes.Queue(name, base);
  } catch (cause) {
    throw lacking(protocol, cause);
  }
  queue.on("error", told);
  const begun = Promise.race([queue.waitUntilReady(), new Promise((_, fail) => setTimeout(fail, patience).unref())]);
  await begun.catch((cause: Error | undefined) => {
    void queue.disconnect().catch(() => {}); // it may wait for a server that is not there
    const error = cause ?? last;
    if (/Cannot find (module|package)/.test(error?.message ?? "")) throw lacking(protocol, error);
    throw unanswered(protocol, host, error);
  });
  const workers: Worker<QueuedCell, Outcome>[] = [];
  return {
    queue,
    work(process, { jobs, lock }) {
      const worker = new classes.Worker<QueuedCell, Outcome>(name, process, {
        ...base,
        concurrency: jobs,
        lockDuration: lock,
        stalledInterval: lock,
        maxStalledCount: 1000, // a cell may outlive any number of machines
      });
      worker.on("error", told);
      workers.push(worker);
      return worker;
    },
    async close() {
      const all = async () => {
        for (const worker of workers) await worker.close();
        await queue.close();
      };
      await Promise.race([all().catch(() => {}), wait(farewell, undefined, { ref: false })]);
    },
  };
}

/** Is a Redis there? Asked once: the queue's own connection would try for ever, and keep the process alive. */
async function knock(url: string, protocol: string, host: string): Promise<void> {
  const { Redis } = await import("ioredis").catch((cause) => {
    throw lacking(protocol, cause);
  });
  const visitor = new Redis(url, { lazyConnect: true, connectTimeout: patience, retryStrategy: () => null });
  let last: Error | undefined;
  visitor.on("error", (error) => void (last = error));
  try {
    await visitor.connect();
    await visitor.ping();
  } catch (cause) {
    throw unanswered(protocol, host, last ?? (cause as Error));
  } finally {
    visitor.disconnect();
  }
}

function unanswered(protocol: string, host: string, error: Error | undefined): TbarError {
  const why = error?.message || String((error as { code?: string } | undefined)?.code ?? "no answer within 10 s");
  return new TbarError("unavailable", `no queue at ${protocol}//${printable(host)}: ${printable(why, 300)}`, { cause: error }); // biome-ignore format: one line
}

function parsed(url: string): URL {
  const found = URL.canParse(url) ? new URL(url) : undefined;
  if (found !== undefined && found.protocol in install) return found;
  throw badInput(`--queue ${printable(url, 200)} is no redis://HOST:6379 and no postgres://USER@HOST/DATABASE`);
}

function lacking(protocol: string, cause: unknown): TbarError {
  const packages = install[protocol as keyof typeof install];
  return new TbarError("unavailable", `a queue takes packages that are not installed: npm install ${packages}`, {
    cause,
  });
}
