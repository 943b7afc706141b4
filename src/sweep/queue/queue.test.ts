/** Sweeps through a real Redis and a real PostgreSQL, where they are installed; else skipped by name. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { postgresPrograms, redisServer, startPostgres, startRedis, type TestServer } from "../../../test/servers.ts";
import { ran, toyJobs } from "../../../test/toy-jobs.ts";
import { type Progress, silent } from "../../jobs/context.ts";
import { runJob } from "../../jobs/run-job.ts";
import { openStore } from "../../store/store.ts";
import { readRecipe } from "../recipe.ts";
import { type Perform, runSweep } from "../run.ts";
import { tableOf } from "../table.ts";
import { unitsOf } from "../units.ts";
import { askFor } from "./ask.ts";
import { openCell, queuedCells } from "./cell.ts";
import { openServer } from "./server.ts";
import { work } from "./worker.ts";

const folder = mkdtempSync(join(tmpdir(), "tbar-queue-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const recipeFile = join(folder, "toy.yaml");
writeFileSync(
  recipeFile,
  `
name: toy
title: A toy
reproduces: nothing
seeds: [1, 2, 3, 4]
cells: [{ name: weak, strength: 0.2 }, { name: strong, strength: 0.8 }, { name: wrong, strength: 3, seeds: [1] }]
steps:
  - { id: made, job: make, spec: { strength: "\${cell.strength}", seed: "\${seed}" } }
  - { id: seen, job: measure, spec: { model: "\${steps.made.out}" } }
table: { figures: [{ name: hits, value: steps.seen.hits }] }
`,
);
const here: Perform = (job, spec, given) => runJob(job, spec as never, given) as never;
const slow: Perform = async (...asked) => {
  await new Promise((go) => setTimeout(go, 30));
  return here(...asked);
};

async function opened(name: string) {
  const recipe = await readRecipe(recipeFile);
  return { recipe, store: openStore(join(folder, name)), units: unitsOf(recipe), jobs: toyJobs };
}
const context = (signal?: AbortSignal, progress: Progress = silent) =>
  ({ progress, ...(signal && { signal }) }) as never;

describe.each([
  ["Redis", redisServer !== undefined, startRedis],
  ["PostgreSQL", postgresPrograms !== undefined, startPostgres],
] as const)("%s", (name, isThere, start) => {
  let server: TestServer;
  beforeAll(async () => {
    if (isThere) server = await start();
  }, 60_000);
  afterAll(() => server?.stop());
  const worker = (store: string, signal?: AbortSignal, perform = slow) =>
    work({ queue: server.url, store: join(folder, store), jobs: 1, lock: 3, untilEmpty: signal === undefined }, context(signal), { jobs: toyJobs, perform }); // biome-ignore format: one line

  it.runIf(isThere)(
    "two workers share the cells, each is computed once, and the table is that of a local run",
    async () => {
      const shared = `shared-${name}`;
      const asked = await opened(shared);
      ran.length = 0;
      const failed = askFor(server.url, { recipe: recipeFile }, asked, context());
      const stop = new AbortController();
      const workers = [worker(shared, stop.signal), worker(shared, stop.signal)].map((one) => one.catch(() => {}));
      expect([...(await failed)].map(([unit, message]) => [unit.cell.name, message])).toEqual([["wrong", expect.stringContaining("too strong")]]); // biome-ignore format: one line
      stop.abort();
      await Promise.all(workers);
      const byQueue = ran.splice(0).toSorted();
      const local = await opened(`local-${name}`);
      await runSweep(local.recipe, { ...local, workers: 2, perform: here }, context());
      expect(byQueue).toEqual(ran.toSorted());
      const rowsOf = async (one: typeof local) => JSON.stringify((await tableOf(one.recipe, one.store, toyJobs)).rows);
      expect(await rowsOf(asked)).toBe(await rowsOf(local));
      ran.length = 0;
      expect((await askFor(server.url, { recipe: recipeFile }, { ...asked, units: asked.units.filter(({ cell }) => cell.name !== "wrong") }, context())).size).toBe(0); // biome-ignore format: one line
      expect(ran).toEqual([]);
    },
    60_000,
  );

  it.runIf(isThere)(
    "a worker that is stopped puts its cell back, and the server may be away for a while",
    async () => {
      const store = `stopped-${name}`;
      const asked = await opened(store);
      const wanted = { ...asked, units: asked.units.filter(({ cell }) => cell.name === "strong") };
      const done = askFor(server.url, { recipe: recipeFile }, wanted, context());
      const stop = new AbortController();
      const hanging: Perform = (_, __, { signal }) =>
        new Promise((_, fail) => signal?.addEventListener("abort", () => fail(signal.reason)));
      const first = worker(store, stop.signal, hanging).catch((error: Error) => error.name);
      const watch = await openServer(server.url);
      while ((await watch.queue.getActiveCount()) === 0) await new Promise((go) => setTimeout(go, 50));
      stop.abort();
      expect(await first).toBe("AbortError");
      expect(await watch.queue.getActiveCount()).toBe(0);
      await watch.close();
      await server.restart();
      const end = new AbortController();
      const second = worker(store, end.signal).catch(() => {});
      expect((await done).size).toBe(0);
      end.abort();
      await second;
    },
    60_000,
  );

  it.runIf(isThere)(
    "Ctrl-C of who asked takes out what waits",
    async () => {
      const asked = await opened(`given-up-${name}`);
      const stop = new AbortController();
      const seen: Progress = { stage: () => {}, step: () => stop.abort() };
      await expect(askFor(server.url, { recipe: recipeFile }, asked, context(stop.signal, seen))).rejects.toMatchObject({ name: "AbortError" }); // biome-ignore format: one line
      const watch = await openServer(server.url);
      expect(await watch.queue.getWaitingCount()).toBe(0);
      await watch.close();
    },
    60_000,
  );

  it.runIf(isThere)(
    "a worker without the shared folder says so, and so does who asked",
    async () => {
      const asked = await opened(`alone-${name}`);
      const units = asked.units.slice(0, 1);
      const failed = askFor(server.url, { recipe: recipeFile }, { ...asked, units }, context());
      const stop = new AbortController();
      const lost = worker(`elsewhere-${name}`, stop.signal).catch(() => {});
      expect([...(await failed).values()][0]).toMatch(
        /there is no recipes\/.*\.yaml in .*: do all machines share this store/,
      );
      stop.abort();
      await lost;
    },
    60_000,
  );
});

it("what the queue holds is read as if a stranger had written it", async () => {
  const { store, units } = await opened("strange");
  const [cell] = await queuedCells(store, { recipe: recipeFile }, units);
  expect((await openCell(store, cell)).unit.cell.name).toBe("weak");
  await expect(openCell(store, { ...cell, recipe: "../../etc/passwd" })).rejects.toThrow("what the queue holds");
  await expect(openCell(store, { ...cell, tbar: "9.9.9" })).rejects.toThrow("asked for by tbar 9.9.9");
  await expect(openCell(store, { ...cell, seed: 77 })).rejects.toThrow("no cell weak with seed 77");
  await expect(openCell(store, { ...cell, command: "rm" })).rejects.toThrow("what the queue holds");
  const path = join(store.folder, "recipes", `${cell.recipe}.yaml`);
  writeFileSync(path, `${readFileSync(path, "utf8")}# changed\n`);
  await expect(openCell(store, cell)).rejects.toThrow("is not the recipe that was asked for");
});

it.each(["redis://127.0.0.1:1", "redis://nobody.invalid", "postgres://127.0.0.1:1/tbar"])(
  "%s: the command says that nobody is there, and ends",
  async (url) => {
    const words = ["dist/cli/main.js", "sweep", "worker", "--queue", url, "--store", join(folder, "none")];
    const { error, said } = await new Promise<{ error: { code?: unknown } | null; said: string }>((done) =>
      execFile(process.execPath, words, { timeout: 25_000 }, (error, _, said) => done({ error, said })),
    );
    expect(error?.code).toBe(2);
    expect(said).toContain(`no queue at ${new URL(url).protocol}//`);
  },
  30_000,
);

it.each([
  ["http://localhost", "is no redis://HOST:6379"],
  ["nonsense", "is no redis://HOST:6379"],
  ["redis://127.0.0.1:1", "no queue at redis://127.0.0.1:1"],
])(
  "%s is refused",
  async (url, message) => {
    await expect(openServer(url)).rejects.toThrow(message);
  },
  20_000,
);
