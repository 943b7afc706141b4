/** A command killed before each of its disk operations, and run again: what is there in between, and in the end. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readlinkSync } from "node:fs";
import { cp, lstat, mkdir, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { filesWithin } from "../../src/files/tree.ts";
import { fakeHub } from "./fake-hub.ts";
import { type KilledJob, models } from "./jobs.ts";
import { still } from "./still.mjs";

export interface Killings {
  readonly job: string;
  /** Operations that the command makes, and those before which it was killed. */
  readonly operations: number;
  readonly killed: number;
  /** What was wrong, in words: an output that is not whole after a kill, or a second run that ends otherwise than an undisturbed one. */
  readonly halfWritten: readonly string[];
  readonly notResumed: readonly string[];
}

/** Bytes or link target by path; folders without any. */
type Tree = ReadonlyMap<string, string>;

const main = resolve("dist/cli/main.js");
const hook = resolve("test/kill/hook.mjs");

interface Options {
  /** An empty folder to work in. */
  readonly folder: string;
  /** Of the operations, those whose number leaves this remainder. Default: all. */
  readonly lane?: number;
  readonly lanes?: number;
}

export async function kill(job: KilledJob, { folder, lane = 0, lanes = 1 }: Options): Promise<Killings> {
  const [inputs, place] = [join(folder, "inputs"), join(folder, "work")];
  const hub = job.hub ? await fakeHub() : undefined;
  const environment = { ...hub?.environment, HF_HUB_CACHE: join(place, "out") };
  const run = (line: string, more: Record<string, string> = {}) =>
    runElsewhere(line, place, { ...environment, ...more });
  const fresh = async (from: string) => {
    await rm(place, { recursive: true, force: true });
    await cp(from, place, { recursive: true });
  };
  await mkdir(place, { recursive: true });
  await models(place);
  for (const line of job.before ?? []) {
    const { code, said } = await run(line);
    if (code !== 0) throw new Error(`${line}: ${said}`);
  }
  await cp(place, inputs, { recursive: true });

  const log = join(folder, "operations.txt");
  const whole = await run(job.line, { KILL_LOG: log });
  if (whole.code !== 0 && whole.code !== 1) throw new Error(`${job.line}: exit ${whole.code}: ${whole.said}`);
  const wanted = await treeOf(place);
  const before = await treeOf(inputs);
  const operations = (await readFile(log, "utf8")).trimEnd().split("\n");

  const halfWritten: string[] = [];
  const notResumed: string[] = [];
  let killed = 0;
  for (let at = lane === 0 ? lanes : lane; at <= operations.length; at += lanes) {
    const where = `${job.name}, before operation ${at} (${operations[at - 1].replaceAll(place, ".")})`;
    await fresh(inputs);
    const { signal } = await run(job.line, { KILL_AT: String(at) });
    if (signal === "SIGKILL") killed++;
    for (const [path, bytes] of await treeOf(place)) {
      const isWhole = isUnfinished(path) || bytes === wanted.get(path) || bytes === before.get(path);
      if (!isWhole) halfWritten.push(`${where}: ${path}`);
    }
    const again = await runHere(job.line, place, environment);
    const found = await treeOf(place);
    if (again.code !== whole.code) notResumed.push(`${where}: exit ${again.code}: ${again.said}`);
    for (const path of new Set([...wanted.keys(), ...found.keys()])) {
      if (wanted.get(path) !== found.get(path))
        notResumed.push(`${where}: ${path} is ${found.has(path) ? "other" : "missing"}`);
    }
  }
  hub?.close();
  return { job: job.name, operations: operations.length, killed, halfWritten, notResumed };
}

/** Names that say of themselves that they are no outputs. */
const isUnfinished = (path: string) =>
  /\.(tmp|old|part)-\d+-[0-9a-f]{14}(\/|$)|\.unfinished\.json$|^out\.state\//.test(path);

async function treeOf(folder: string): Promise<Tree> {
  const tree = new Map<string, string>();
  for (const path of await filesWithin(folder)) {
    const full = join(folder, path);
    if (path.endsWith("/")) continue;
    const isLink = (await lstat(full)).isSymbolicLink();
    tree.set(path, isLink ? `-> ${readlinkSync(full)}` : (await readFile(full)).toString("latin1"));
  }
  return tree;
}

/** The command in a process of its own, whose clock stands still. */
async function runElsewhere(line: string, folder: string, environment: Record<string, string>) {
  const env = { ...process.env, ...environment };
  const child = spawn(process.execPath, ["--import", hook, main, ...words(line, folder), "--quiet"], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stdout.on("data", (chunk) => (said += chunk));
  child.stderr.on("data", (chunk) => (said += chunk));
  const [code, signal] = await once(child, "close");
  return { code, signal, said: said.slice(-300) };
}

/** The same in this process, which has long begun and has all programs compiled: as far as the disk goes, another one. */
async function runHere(line: string, folder: string, environment: Record<string, string>) {
  const { run } = (await import(
    pathToFileURL(resolve("dist/cli/run.js")).href
  )) as typeof import("../../src/cli/run.ts");
  let said = "";
  const sink = { write: (text: string) => (said += text) };
  const before = { ...process.env };
  Object.assign(process.env, environment);
  const go = still();
  try {
    const code = await run([...words(line, folder), "--quiet"], {
      out: sink,
      err: sink,
      signal: new AbortController().signal,
    });
    return { code, said: said.slice(-300) };
  } finally {
    go();
    process.env = before;
  }
}

const words = (line: string, folder: string) => line.split(" ").map((word) => word.replace(/^\.\//, `${folder}/`));
