/** What the process has and a spec has not: opened once, released once. */
import type { OutputSet } from "../files/atomic.ts";
import { createRuntime, type Runtime } from "../runtime/compile.ts";
import { onnxRuntime, type RuntimeOptions } from "../runtime/onnxruntime.ts";
import { badInput } from "../tensor/error.ts";
import type { Trigger } from "../triggers/trigger.ts";
import { type Progress, silent } from "./progress/progress.ts";

export { type Progress, silent } from "./progress/progress.ts";

/** What a caller brings beside the spec. */
export interface Given {
  readonly progress?: Progress;
  readonly signal?: AbortSignal;
  /** The command line, for results to record. */
  readonly command?: string;
  /** A trigger that no spec can state, since it is a function of the caller's own; it is used in place of the spec's. */
  readonly trigger?: Trigger;
}

/** Throws `bad-input` on what a caller without types brings instead. */
export function checkGiven(given: Given): void {
  const { progress, signal, trigger } = (given ?? {}) as Given;
  const isFunction = (value: unknown) => typeof value === "function";
  const wrong =
    (typeof given !== "object" || given === null) ? "the second argument must be an object, such as { progress, signal, trigger }"
    : progress !== undefined && !(isFunction(progress?.stage) && isFunction(progress.step)) ? "progress must have the functions stage and step"
    : signal !== undefined && !isFunction(signal?.throwIfAborted) ? "signal must be an AbortSignal"
    : trigger !== undefined && !(isFunction(trigger?.apply) && typeof trigger.spec?.kind === "string") ? "trigger must be { spec: { kind, ... }, apply(pixels, ids) }"
    : undefined; // biome-ignore format: a table
  if (wrong !== undefined) throw badInput(wrong);
}

export interface Context extends Given {
  readonly progress: Progress;
  readonly command: string;
  /** The outputs of the job, which belong together. */
  readonly set?: OutputSet;
  /** The one runtime, opened when it is first asked for. Throws `unavailable` when ONNX Runtime or the device is missing. */
  runtime(): Promise<Runtime>;
}

/** Run `work` with a context; its runtime is released at the end, come what may. */
export async function withContext<T>(
  { device, threads }: RuntimeOptions,
  given: Given & Pick<Context, "set">,
  work: (context: Context) => Promise<T>,
): Promise<T> {
  let opened: Promise<Runtime> | undefined;
  const context: Context = {
    ...given,
    progress: given.progress ?? silent,
    command: given.command ?? "",
    runtime: () => (opened ??= onnxRuntime({ device, threads }).then(createRuntime)),
  };
  try {
    return await work(context);
  } finally {
    await (await opened?.catch(() => undefined))?.release();
  }
}
