/** Measured figures on disk: results/bench/NAME.json, by machine, one row each with its interval and the bar it has to clear. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";

export interface Bar {
  readonly op: "<=" | ">=";
  readonly limit: number;
}

export interface Row {
  readonly what: string;
  readonly value: number;
  readonly interval: readonly [number, number];
  readonly bar: Bar | null;
  /** Does the point value satisfy the bar? null without one. */
  readonly met: boolean | null;
}

export function row(what: string, value: number, interval: readonly [number, number], bar: Bar | null = null): Row {
  const met = bar === null ? null : bar.op === "<=" ? value <= bar.limit : value >= bar.limit;
  return { what, value, interval, bar, met };
}

export const atLeast = (limit: number): Bar => ({ op: ">=", limit });
export const atMost = (limit: number): Bar => ({ op: "<=", limit });

/** A figure with an interval of its own. */
export const rated = (what: string, { value, interval }: Pick<Row, "value" | "interval">, bar: Bar | null = null) =>
  row(what, value, interval, bar);

/** A figure that is no sample of anything. */
export const exact = (what: string, value: number, bar: Bar | null = null) => row(what, value, [value, value], bar);

/** PyTorch's float32 forward of 32 images through a ViT-B/32 image tower on 2 threads, in seconds, where Python has it. */
export function referenceTime(): number | null {
  try {
    const out = execFileSync(python, ["bench/peers/reference-time.py"], { stdio: ["ignore", "pipe", "ignore"] });
    return Number(out.toString().trim());
  } catch {
    return null;
  }
}

/** The interpreter that has torch and transformers: TBAR_PYTHON, or python3. */
export const python = process.env.TBAR_PYTHON ?? "python3";

export interface Results {
  readonly command: string;
  readonly seeds: readonly number[];
  readonly rows: readonly Row[];
  /** What is to be said beside the figures. */
  readonly notes?: readonly string[];
  /** Reference time in seconds; measured now unless given. */
  readonly reference?: number | null;
}

/** One machine's figures. */
export interface Run {
  readonly commit: string;
  readonly machine: {
    readonly processor: string;
    /** The widest vectors that its products may use; unknown of runs before this was noted, and elsewhere than on Linux. */
    readonly vectors?: string;
    readonly cores: number;
    /** Seconds. */
    readonly reference_s: number | null;
    readonly node: string;
  };
  readonly seeds: readonly number[];
  readonly rows: readonly Row[];
  readonly notes?: readonly string[];
}

/** In place of what this machine wrote before; what others wrote stays, below. */
export function writeResults(name: string, { command, seeds, rows, notes, ...rest }: Results): void {
  const git = (...args: string[]) => {
    try {
      return execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    } catch {
      return ""; // a copy of the tree alone
    }
  };
  const dirty = git("status", "--porcelain", "--", "src", "bench") !== "";
  const seconds = rest.reference === undefined ? referenceTime() : rest.reference;
  const machine = {
    processor: cpus()[0].model,
    ...vectors(),
    cores: cpus().length,
    reference_s: seconds === null ? null : Number(seconds.toFixed(3)),
    node: process.version,
  };
  const commit = process.env.TBAR_COMMIT || (git("rev-parse", "HEAD") || "unknown") + (dirty ? "+changes" : "");
  const folder = process.env.TBAR_RESULTS ?? "results/bench";
  const path = `${folder}/${name}.json`;
  const earlier: readonly Run[] = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).runs : [];
  const others = earlier.filter((run) => !isSame(run.machine, machine));
  mkdirSync(folder, { recursive: true });
  const runs: readonly Run[] = [{ commit, machine, seeds, rows, ...(notes && { notes }) }, ...others];
  writeFileSync(path, `${JSON.stringify({ command, runs }, null, 1)}\n`);
  for (const { what, value, interval, bar, met } of rows) {
    const mark = met === null ? " " : met ? "+" : "-";
    const limit = bar === null ? "" : ` (bar ${bar.op} ${bar.limit})`;
    console.log(
      `${mark} ${what}: ${value.toPrecision(4)} [${interval.map((v) => v.toPrecision(4)).join(", ")}]${limit}`,
    );
  }
}

const isSame = (a: Run["machine"], b: Run["machine"]) =>
  a.processor === b.processor && a.vectors === b.vectors && a.cores === b.cores;

function vectors(): Pick<Run["machine"], "vectors"> {
  const flags = existsSync("/proc/cpuinfo") ? readFileSync("/proc/cpuinfo", "utf8") : "";
  if (/\bamx_tile\b/.test(flags)) return { vectors: "AVX-512 and AMX" };
  if (/\bavx512f\b/.test(flags)) return { vectors: "AVX-512" };
  return /\bavx2\b/.test(flags) ? { vectors: "AVX2" } : {};
}

/** Median with a 95 % interval from order statistics (binomial, normal approximation). */
export function median(values: readonly number[]): { value: number; interval: [number, number] } {
  const sorted = [...values].sort((a, b) => a - b);
  const n = sorted.length;
  const half = (1.96 * Math.sqrt(n)) / 2;
  const low = Math.max(0, Math.floor(n / 2 - half));
  const high = Math.min(n - 1, Math.ceil(n / 2 + half) - 1);
  const value = n % 2 === 1 ? sorted[(n - 1) / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
  return { value, interval: [sorted[low], sorted[high]] };
}
