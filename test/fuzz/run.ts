/**
 * Hundreds of thousands of files spoilt from sound ones of every format, read as tbar's commands and library read them: each gives a result
 * or a TbarError, within 5 s of processor time and 300 MB. Two processes read (or LANES), are watched, and are replaced after 5,000 inputs, or where
 * one ends or is silent for half a minute. Goes on where an interrupted run of the same sources was. Writes results/bench/fuzz.json.
 *
 * Run: npm run test:fuzz [-- INPUTS RUN MINUTES LANES]
 */
import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { row, writeResults } from "../../bench/results.ts";
import { cases } from "../malicious/cases.ts";
import type { Attempt } from "./attempt.ts";
import type { Reader } from "./readers.ts";

const [inputs = "200000", run = "1", minutes = "600", lanes = "2"] = process.argv.slice(2);
const deadline = performance.now() + Number(minutes) * 60_000;
const perProcess = 5000;
const silence = 30_000;
const limits = { seconds: 5, growth: 300 };

interface Told extends Attempt {
  readonly i: number;
  readonly reader: Reader;
  readonly what: string;
}
interface Tally {
  read: number;
  refused: number;
  seconds: number;
  growth: number;
}
/** What an interrupted run knows already. */
interface State {
  readonly commit: string;
  readonly next: number[];
  readonly tallies: Record<string, Tally>;
  /** Inputs that crashed, were silent, too slow or too large. */
  readonly bad: { readonly i: number; readonly what: string; readonly why: string }[];
}

const commit = execFileSync("git", ["rev-parse", "HEAD"], { encoding: "utf8" }).trim();
const stateFile = join(tmpdir(), `tbar-fuzz-${run}.json`);
const state: State = resumed() ?? {
  commit,
  next: Array.from({ length: Number(lanes) }, (_, lane) => lane),
  tallies: {},
  bad: [],
};

/** Compiled, as tbar is shipped: a compiler at work beside it would count as its memory. */
const compiled = mkdtempSync(join(tmpdir(), "tbar-fuzz-built-"));
copyFileSync("package.json", join(compiled, "package.json"));
symlinkSync(resolve("node_modules"), join(compiled, "node_modules"));
execFileSync("npx", ["tsc", "-p", "test/fuzz/tsconfig.json", "--outDir", compiled]);

const saving = setInterval(() => writeFileSync(stateFile, JSON.stringify(state)), 5000);
const saying = setInterval(say, 30_000);
try {
  await Promise.all(state.next.map((_, lane) => drive(lane)));
} finally {
  clearInterval(saving);
  clearInterval(saying);
  rmSync(compiled, { recursive: true });
}
report();

function resumed(): State | undefined {
  if (!existsSync(stateFile)) return undefined;
  const state: State = JSON.parse(readFileSync(stateFile, "utf8"));
  return state.commit === commit && state.next.length === Number(lanes) ? state : undefined;
}

async function drive(lane: number): Promise<void> {
  while (state.next[lane] < Number(inputs) && performance.now() < deadline) await stretch(lane);
}

/** Some of a lane's inputs in one process. */
async function stretch(lane: number): Promise<void> {
  const to = Math.min(Number(inputs), state.next[lane] + perProcess * Number(lanes));
  const child = startReader(state.next[lane], to);
  let timer: NodeJS.Timeout | undefined;
  const awake = () => {
    clearTimeout(timer);
    timer = setTimeout(() => child.kill("SIGKILL"), silence);
  };
  timer = setTimeout(() => child.kill("SIGKILL"), 10 * silence); // it makes the sound files first
  let isDone = false;
  await new Promise<void>((resolve) => {
    child.on("message", (told: Told | { done: true }) => {
      awake();
      if ("done" in told) isDone = true;
      else count(lane, told);
      if (performance.now() > deadline) {
        isDone = true;
        child.kill();
      }
    });
    child.on("exit", (code, by) => {
      if (!isDone) fault(lane, `its process ended with ${by ?? code}`);
      resolve();
    });
  });
  clearTimeout(timer);
}

function startReader(from: number, to: number): ChildProcess {
  const env = {
    ...process.env,
    TBAR_FUZZ_ROOT: new URL(".", import.meta.url).href,
    ...(existsSync("/dev/shm") && { TBAR_FUZZ_TMP: "/dev/shm" }),
  };
  const args = [run, from, to, lanes].map(String);
  return fork(join(compiled, "test/fuzz/lane.js"), args, { env, execArgv: ["--max-old-space-size=1024"] });
}

function count(lane: number, { i, reader, what, outcome, message, seconds, growth }: Told): void {
  state.next[lane] = i + Number(lanes);
  state.tallies[reader] ??= { read: 0, refused: 0, seconds: 0, growth: 0 };
  const tally = state.tallies[reader];
  if (outcome !== "crashed") tally[outcome]++;
  tally.seconds = Math.max(tally.seconds, seconds);
  tally.growth = Math.max(tally.growth, growth);
  if (outcome === "crashed") bad(i, what, message);
  else if (seconds > limits.seconds) bad(i, what, `${seconds.toFixed(1)} s: ${message}`);
  else if (growth > limits.growth) bad(i, what, `${growth.toFixed(0)} MiB: ${message}`);
}

function fault(lane: number, why: string): void {
  bad(state.next[lane], "", why);
  state.next[lane] += Number(lanes);
}

function bad(i: number, what: string, why: string): void {
  state.bad.push({ i, what, why });
  console.error(`input ${i} (${what}): ${why}`);
}

function total(of: "read" | "refused"): number {
  return Object.values(state.tallies).reduce((sum, tally) => sum + tally[of], 0);
}

function say(): void {
  const done = total("read") + total("refused") + state.bad.length;
  console.error(`${done} of ${inputs} inputs, ${total("read")} read, ${state.bad.length} bad`);
}

function report(): void {
  writeFileSync(stateFile, JSON.stringify(state));
  const figure = (what: string, value: number, op?: "<=" | ">=", limit = 0) =>
    row(what, value, [value, value], op === undefined ? null : { op, limit });
  const tallies = Object.entries(state.tallies).sort();
  const most = (of: "seconds" | "growth") => Math.max(...tallies.map(([, tally]) => tally[of]));
  const isOf = (pattern: RegExp) => state.bad.filter(({ why }) => pattern.test(why)).length;
  const [slow, large] = [isOf(/^[\d.]+ s: /), isOf(/^\d+ MiB: /)];
  writeResults("fuzz", {
    command: "npm run test:fuzz",
    seeds: [Number(run)],
    reference: null,
    rows: [
      figure("hostile files made by hand, in npm test", cases.length, ">=", 60),
      figure(
        "files spoilt from sound ones",
        total("read") + total("refused") + state.bad.length - slow - large,
        ">=",
        200_000,
      ),
      ...tallies.map(([reader, { read, refused }]) => figure(`of them ${reader}`, read + refused)),
      figure("refused", total("refused")),
      figure("read", total("read")),
      figure("crashes, hangs, errors that are no TbarError", state.bad.length - slow - large, "<="),
      figure("above 5 s of processor time", slow, "<="),
      figure("above 300 MiB more memory than before", large, "<="),
      figure("slowest, s of processor time", most("seconds"), "<=", limits.seconds),
      figure("most memory, MiB more than before", most("growth"), "<=", limits.growth),
    ],
  });
  process.exitCode = state.bad.length === 0 ? 0 : 1;
}
