/** What every job shares: a progress line, a clock, and the facts about machine and model that results record. */
import { cpus, totalmem } from "node:os";
import { basename } from "node:path";
import type { Checkpoint } from "../checkpoint/clip-folder.ts";
import { architectureOf, parameterShapes } from "../checkpoint/config.ts";
import type { Runtime } from "../runtime/compile.ts";
import { sizeOf } from "../tensor/tensor.ts";
import type { CheckpointFacts, Machine } from "./result.ts";

/** How a job tells what it does. `done` of `total` steps within a stage, when there are steps. */
export interface Progress {
  stage(what: string): void;
  step(done: number, total: number, note?: string): void;
}

export const silent: Progress = { stage: () => {}, step: () => {} };

export interface JobOptions {
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
  readonly seed: number;
}

/** Seconds since it was made, and seconds by stage. */
export class Clock {
  readonly #start = performance.now();
  readonly #stages: { what: string; seconds: number }[] = [];
  #current: { what: string; since: number } | undefined;

  stage(what: string): void {
    this.#close();
    this.#current = { what, since: performance.now() };
  }

  seconds(): number {
    return (performance.now() - this.#start) / 1000;
  }

  timings(): readonly { what: string; seconds: number }[] {
    this.#close();
    return this.#stages;
  }

  #close(): void {
    if (this.#current === undefined) return;
    const { what, since } = this.#current;
    const seconds = (performance.now() - since) / 1000;
    const known = this.#stages.find((stage) => stage.what === what);
    if (known === undefined) this.#stages.push({ what, seconds });
    else known.seconds += seconds;
    this.#current = undefined;
  }
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
  };
}
