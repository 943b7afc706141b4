/** What the process has and a spec has not: opened once, released once. */
import type { OutputSet } from "../files/atomic.ts";
import { createRuntime, type Runtime } from "../runtime/compile.ts";
import { onnxRuntime, type RuntimeOptions } from "../runtime/onnxruntime.ts";
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
