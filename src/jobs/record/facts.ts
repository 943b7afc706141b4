/** What every job shares: a clock, and the facts about machine and model that results record. */
import { cpus, totalmem } from "node:os";
import { basename } from "node:path";
import type { Checkpoint } from "../../checkpoint/clip-folder.ts";
import { architectureOf, parameterShapes } from "../../checkpoint/config/config.ts";
import type { LoadedClip } from "../../engine/clip.ts";
import type { CheckpointFacts, Machine, Reading } from "../../results/base.ts";
import type { Runtime } from "../../runtime/compile.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { type Progress, silent } from "../context.ts";

/** Seconds of one stage of a job, or of several of one name. */
export interface Timing {
  readonly what: string;
  readonly seconds: number;
}

/** Seconds since it was made, and seconds by stage; it tells the progress of each. */
export class Clock {
  readonly #progress: Progress;
  readonly #start = performance.now();
  #before = 0;
  readonly #stages: { what: string; seconds: number }[] = [];
  #current: { what: string; since: number } | undefined;

  constructor(progress: Progress = silent) {
    this.#progress = progress;
  }

  /** Adds what an earlier part of the same job took, one that was killed. */
  resume(before: readonly Timing[]): void {
    for (const { what, seconds } of before) this.#add(what, seconds);
    this.#before = before.reduce((sum, { seconds }) => sum + seconds, 0);
  }

  stage(what: string): void {
    this.#close();
    this.#current = { what, since: performance.now() };
    this.#progress.stage(what);
  }

  seconds(): number {
    return this.#before + (performance.now() - this.#start) / 1000;
  }

  timings(): readonly Timing[] {
    const current = this.#current;
    this.#close();
    if (current !== undefined) this.#current = { ...current, since: performance.now() };
    return this.#stages.map((stage) => ({ ...stage }));
  }

  /** What a result says of it all. */
  facts(runtime: Runtime, threads: number | undefined) {
    return { seconds: this.seconds(), timings: this.timings(), machine: machineFacts(runtime, threads) };
  }

  #close(): void {
    if (this.#current === undefined) return;
    const { what, since } = this.#current;
    this.#add(what, (performance.now() - since) / 1000);
    this.#current = undefined;
  }

  #add(what: string, seconds: number): void {
    const known = this.#stages.find((stage) => stage.what === what);
    if (known === undefined) this.#stages.push({ what, seconds });
    else known.seconds += seconds;
  }
}

/** What the last bits of a training depend on besides its recipe: sums are split among threads, and devices add in another order. */
export function computedOn({ threads, device = "cpu" }: { readonly threads?: number; readonly device?: string }) {
  return { threads: threads ?? cpus().length, device };
}

export function machineFacts(runtime: Runtime, threads: number | undefined): Machine {
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    threads: threads ?? processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    runtime: runtime.description,
  };
}

export async function checkpointFacts(checkpoint: Checkpoint): Promise<CheckpointFacts> {
  const counts = new Map<string, number>();
  for (const [name, dtype] of checkpoint.dtypes) {
    const shape = parameterShapes(checkpoint.config).get(name) ?? [];
    counts.set(dtype, (counts.get(dtype) ?? 0) + sizeOf(shape));
  }
  const [dtype] = [...counts].sort((a, b) => b[1] - a[1])[0];
  return {
    path: basename(checkpoint.path),
    sha256: await checkpoint.sha256(),
    layout: checkpoint.layout,
    dtype,
    architecture: architectureOf(checkpoint.config),
    parameters: [...counts.values()].reduce((a, b) => a + b, 0),
    ...readingOf(checkpoint),
  };
}

/** A model, and how it was read: what the state of its training must agree with. */
export async function readAs({ checkpoint }: LoadedClip) {
  const { preprocess, config, prefix, ignored } = checkpoint;
  return { model: await checkpoint.sha256(), read: [config, prefix, ignored], preprocess };
}

/** What was assumed when these were read, and which tensors were left out; nothing where it is nothing. */
export function readingOf(...checkpoints: readonly Pick<Checkpoint, "assumptions" | "ignored">[]): Reading {
  const [assumptions, ignored] = [
    [...new Set(checkpoints.flatMap(({ assumptions }) => assumptions))],
    [...new Set(checkpoints.flatMap(({ ignored }) => ignored))],
  ];
  return { ...(assumptions.length > 0 && { assumptions }), ...(ignored.length > 0 && { ignored }) };
}
