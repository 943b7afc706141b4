/** One input, read by who reads its kind: how that ended and what it took. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { TbarError } from "../../src/tensor/error.ts";
import type { Input } from "./mutate.ts";
import { readers } from "./readers.ts";

export interface Attempt {
  /** `crashed`: an error that is no TbarError, which would be a fault of tbar's. */
  readonly outcome: "read" | "refused" | "crashed";
  /** Why it was refused, or how it crashed. */
  readonly message: string;
  /** Of processor time, by all threads. */
  readonly seconds: number;
  /** MiB by which resident memory grew, at most, while it was read. */
  readonly growth: number;
}

export async function attempt({ seed, files }: Input, root: string): Promise<Attempt> {
  const folder = mkdtempSync(join(root, "input-"));
  try {
    for (const [name, content] of Object.entries(files)) {
      if (dirname(name) !== ".") mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    const before = resident("VmRSS");
    forgetPeak();
    const start = process.cpuUsage();
    const found = await outcomeOf(() =>
      readers[seed.reader](seed.path === undefined ? folder : join(folder, seed.path)),
    );
    const { user, system } = process.cpuUsage(start);
    return { ...found, seconds: (user + system) / 1e6, growth: resident("VmHWM") - before };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function outcomeOf(work: () => Promise<unknown>): Promise<Pick<Attempt, "outcome" | "message">> {
  try {
    await work();
    return { outcome: "read", message: "" };
  } catch (error) {
    const isRefusal = error instanceof TbarError && (error.code === "bad-input" || error.code === "unavailable");
    if (isRefusal) return { outcome: "refused", message: error.message };
    return { outcome: "crashed", message: String((error as Error)?.stack ?? error) };
  }
}

/** MiB, from /proc; elsewhere what Node knows, which has no peak. */
function resident(what: "VmRSS" | "VmHWM"): number {
  if (process.platform !== "linux") return process.memoryUsage.rss() / 2 ** 20;
  const [, kilobytes] = new RegExp(`${what}:\\s+(\\d+) kB`).exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return Number(kilobytes) / 1024;
}

/** The peak begins anew from what is resident now. */
function forgetPeak(): void {
  if (process.platform === "linux") writeFileSync("/proc/self/clear_refs", "5");
}
