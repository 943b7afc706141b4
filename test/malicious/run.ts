/**
 * All hostile cases and 10,000 files spoilt from sound ones, read by a process of its own that is watched: nothing may crash or hang,
 * nor take 2 s a file or 200 MB. Writes results/malicious.json. Run: npm run test:fuzz [-- FILES SEED]
 */
import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { row, writeResults } from "../../bench/results.ts";
import { random } from "../../src/tensor/random.ts";
import type { Attempt } from "./attempt.ts";
import { cases } from "./cases.ts";
import { seeds, spoilt } from "./mutate.ts";
import { withFiles } from "./with-files.ts";

interface Tried extends Attempt {
  readonly what: string;
  /** Class of a hostile case; undefined for a spoilt file. */
  readonly kind?: string;
  /** Refused or read as it should be; a spoilt file may be either. */
  readonly right: boolean;
  /** Largest resident memory of the reading process until then, MiB. */
  readonly peak: number;
}

const [files = "10000", seed = "1"] = process.argv.slice(2);
const longest = 30_000;

/** The reader compiled, as tbar is shipped: a compiler at work beside it would count as its memory. */
const compiled = mkdtempSync(join(tmpdir(), "tbar-reader-"));
copyFileSync("package.json", join(compiled, "package.json"));
symlinkSync(resolve("node_modules"), join(compiled, "node_modules"));
execFileSync("npx", ["tsc", "-p", "test/malicious/tsconfig.json", "--outDir", compiled]);

const readers = { now: startReader(), crashes: 0, hangs: 0 };
const tried: Tried[] = [];
for (const { kind, what, files, refused, read } of cases) {
  const { peak, ...found } = await readElsewhere(files);
  const right = refused === undefined ? found.message === read : refused.test(found.message);
  tried.push({ ...found, kind, what, right: right && found.outcome === (refused ? "refused" : "read"), peak });
}
const sound = await seeds();
for (let i = 0; i < Number(files); i++) {
  const one = sound[i % sound.length];
  const found = await readElsewhere(spoilt(one, random("fuzz", Number(seed), i)));
  tried.push({ ...found, what: `file ${i}, ${one.what}`, right: found.outcome !== "crashed" });
}
readers.now.kill();
rmSync(compiled, { recursive: true });
report();

function startReader(): ChildProcess {
  return fork(join(compiled, "test/malicious/reader.js"));
}

/** The attempt as the reader made it; a reader that dies or is silent for half a minute is replaced, and has crashed. */
async function readElsewhere(
  content: Readonly<Record<string, Uint8Array>>,
): Promise<Attempt & { readonly peak: number }> {
  return withFiles(content, async (path) => {
    const reader = readers.now;
    reader.send(path);
    const stop = new AbortController();
    const { signal } = stop;
    const timer = setTimeout(() => stop.abort(), longest);
    const ended = once(reader, "exit", { signal }).then(([code, by]) => `ended with ${code ?? by}`);
    try {
      const answer = await Promise.race([once(reader, "message", { signal }).then(([told]) => told), ended]);
      if (typeof answer !== "string") return answer;
      readers.crashes++;
      return replaced(answer);
    } catch {
      readers.hangs++;
      reader.kill("SIGKILL");
      return replaced("hung");
    } finally {
      clearTimeout(timer);
      ended.catch(() => {});
      stop.abort();
    }
  });
}

function replaced(message: string) {
  readers.now = startReader();
  return { outcome: "crashed" as const, message, seconds: longest / 1000, peak: 0 };
}

function report(): void {
  const named = tried.filter(({ kind }) => kind !== undefined);
  const others = tried.filter(({ kind }) => kind === undefined);
  const wrong = tried.filter(({ right }) => !right);
  for (const { what, message } of wrong.slice(0, 10)) console.error(`${what}: ${message}`);
  const figure = (what: string, value: number, op?: "<=" | ">=", limit = 0) =>
    row(what, value, [value, value], op === undefined ? null : { op, limit });
  const outcomes = (outcome: Attempt["outcome"]) => others.filter((one) => one.outcome === outcome).length;
  const most = (of: "seconds" | "peak") => Math.max(...tried.map((one) => one[of]));
  const classes = [...new Set(cases.map(({ kind }) => kind))];
  writeResults("malicious", {
    command: "npm run test:fuzz",
    seeds: [Number(seed)],
    yardstick: null,
    rows: [
      figure("hostile cases", named.length, ">=", 60),
      ...classes.map((name) => figure(`of them ${name}`, named.filter(({ kind }) => kind === name).length)),
      figure("cases not refused or read as they should be", named.filter(({ right }) => !right).length, "<="),
      figure("files spoilt from sound ones", others.length, ">=", 10_000),
      figure("of them refused", outcomes("refused")),
      figure("of them read", outcomes("read")),
      figure("crashes", outcomes("crashed") + readers.crashes, "<="),
      figure("hangs", readers.hangs, "<="),
      figure("slowest file, s", most("seconds"), "<=", 2),
      figure("peak memory of the reading process, MiB", most("peak"), "<=", 200),
    ],
  });
  process.exitCode = wrong.length === 0 ? 0 : 1;
}
