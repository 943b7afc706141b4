/** Measured figures on disk: results/NAME.json, one row each with its interval and the bar it has to clear. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
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

/** PyTorch's float32 forward of 32 images through a ViT-B/32 image tower on 2 threads, in seconds, where Python has it. */
export function yardstick(): number | null {
  try {
    const out = execFileSync(python, ["bench/peers/yardstick.py"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return Number(out.trim());
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
  /** Seconds of the yardstick; measured now unless given. */
  readonly yardstick?: number | null;
}

export function writeResults(name: string, { command, seeds, rows, ...rest }: Results): void {
  const git = (...args: string[]) => execFileSync("git", args, { encoding: "utf8" }).trim();
  const dirty = git("status", "--porcelain", "--", "src", "bench") !== "";
  const seconds = rest.yardstick === undefined ? yardstick() : rest.yardstick;
  const machine = {
    processor: cpus()[0].model,
    cores: cpus().length,
    yardstick_s: seconds === null ? null : Number(seconds.toFixed(3)),
    node: process.version,
  };
  const commit = git("rev-parse", "HEAD") + (dirty ? "+changes" : "");
  mkdirSync("results", { recursive: true });
  writeFileSync(`results/${name}.json`, `${JSON.stringify({ command, commit, machine, seeds, rows }, null, 2)}\n`);
  for (const { what, value, interval, bar, met } of rows) {
    const mark = met === null ? " " : met ? "+" : "-";
    const limit = bar === null ? "" : ` (bar ${bar.op} ${bar.limit})`;
    console.log(
      `${mark} ${what}: ${value.toPrecision(4)} [${interval.map((v) => v.toPrecision(4)).join(", ")}]${limit}`,
    );
  }
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
