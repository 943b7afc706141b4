/**
 * A sweep of 24 cells through Redis and PostgreSQL: its throughput with two workers against one process with as many threads, and with workers
 * that are killed (SIGKILL) 20 times, a server that goes away, and two askers of the same cells. Writes results/bench/queue.json.
 * Run: npm run test:queue; some minutes of two cores. Takes redis-server and postgresql of the system.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atLeast, atMost, exact, writeResults } from "../../bench/results.ts";
import { writePico } from "../pico.ts";
import { startPostgres, startRedis, type TestServer } from "../servers.ts";

const folder = mkdtempSync(join(tmpdir(), "tbar-queue-"));
await writePico(join(folder, "pico"));
const recipe = join(folder, "cells.yaml");
writeFileSync(
  recipe,
  `
name: cells
title: 24 small cells
reproduces: nothing
seeds: [1, 2, 3, 4]
cells: [{ name: a, lr: 0.001 }, { name: b, lr: 0.002 }, { name: c, lr: 0.003 }, { name: d, lr: 0.004 }, { name: e, lr: 0.005 }, { name: f, lr: 0.006 }]
steps:
  - { id: tuned, job: finetune, spec: { model: ${folder}/pico, data: "shapes:background", images: 1500, testImages: 100, recipe: { lr: "\${cell.lr}", epochs: 2, batch: 32 }, seed: "\${seed}" } }
  - { id: seen, job: eval, spec: { model: "\${steps.tuned.out}", data: "shapes:background", testImages: 200, seed: "\${seed}" } }
table: { figures: [{ name: CA, value: steps.seen.ca }, { name: CA after, value: steps.tuned.after }] }
`,
);

const tbar = (...words: string[]) => spawn(process.execPath, ["dist/cli/main.js", ...words, "--quiet"], { stdio: ["ignore", "ignore", "pipe"] }); // biome-ignore format: one line
const ended = (child: ChildProcess) =>
  new Promise<{ code: number | null; err: string }>((end) => {
    let err = "";
    child.stderr?.setEncoding("utf8").on("data", (text) => (err += text));
    child.once("exit", (code) => end({ code, err }));
  });
const run = (store: string, ...more: string[]) => tbar("sweep", "run", recipe, "--store", store, ...more);
const worker = (store: string, url: string) =>
  tbar("sweep", "worker", "--queue", url, "--store", store, "--lock", "3", "--threads", "1");
const pause = (ms: number) => new Promise((go) => setTimeout(go, ms));

async function must(child: ChildProcess): Promise<void> {
  const { code, err } = await ended(child);
  if (code !== 0) throw new Error(`exit ${code}: ${err}`);
}

/** Results without what differs from run to run (times, and the folder that models on the way lie in), by their address. */
function resultsIn(store: string): Map<string, string> {
  const other = (key: string, value: unknown) => (["seconds", "timings", "created", "command", "machine", "imagesPerSecond", "output"].includes(key) ? undefined : value); // biome-ignore format: one line
  return new Map(
    readdirSync(store)
      .filter((name) => /^[0-9a-f]{64}\.json$/.test(name))
      .map((name) => [name, JSON.stringify(JSON.parse(readFileSync(join(store, name), "utf8")), other)]),
  );
}
function differing(store: string): number {
  const [all, own] = [resultsIn(join(folder, "local")), resultsIn(store)];
  return [...new Set([...all.keys(), ...own.keys()])].filter((name) => all.get(name) !== own.get(name)).length;
}

let begun = performance.now();
await must(run(join(folder, "local"), "--jobs", "2"));
const local = (performance.now() - begun) / 1000;
const rows = [exact("seconds, one process, two steps at a time", local)];

for (const [name, start] of [
  ["Redis", startRedis],
  ["PostgreSQL", startPostgres],
] as const) {
  // biome-ignore format: one line
  const server: TestServer = await start();
  try {
    const even = join(folder, `even-${name}`);
    const workers = [worker(even, server.url), worker(even, server.url)];
    await pause(3000); // they are there before anybody asks, as on machines of their own
    begun = performance.now();
    await must(run(even, "--queue", server.url));
    const queued = (performance.now() - begun) / 1000;
    for (const one of workers) one.kill("SIGTERM");
    await Promise.all(workers.map(ended));
    rows.push(exact(`${name}: seconds, two workers`, queued), exact(`${name}: throughput against one process`, local / queued, atLeast(1))); // biome-ignore format: one line
    rows.push(exact(`${name}: results that differ`, differing(even), atMost(0)));

    const hard = join(folder, `hard-${name}`);
    let current = [worker(hard, server.url), worker(hard, server.url)];
    const asking = [run(hard, "--queue", server.url), run(hard, "--queue", server.url)].map(must);
    const both = Promise.all(asking).then(() => true);
    let kills = 0;
    let isOver = false;
    both.then(() => (isOver = true), () => (isOver = true)); // biome-ignore format: one line
    while (!isOver && kills < 20) {
      await pause(2500 + 500 * (kills % 4));
      const [victim, other] = current;
      victim.kill("SIGKILL");
      kills++;
      if (kills === 10) await server.restart();
      current = [other, worker(hard, server.url)];
    }
    await both;
    for (const one of current) one.kill("SIGTERM");
    rows.push(exact(`${name}: workers killed`, kills));
    rows.push(exact(`${name}: results that differ after the kills`, differing(hard), atMost(0)));
  } finally {
    await server.stop();
  }
}
rmSync(folder, { recursive: true, force: true });
for (const { what, value } of rows) console.log(`${what}: ${value}`);
writeResults("queue", { command: "npm run test:queue", seeds: [1, 2, 3, 4], rows });
