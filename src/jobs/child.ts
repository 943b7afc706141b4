/** A job in a process of its own, for whoever must stay alive beside it: native code that computes hears nothing and blocks everything. */
import { forkModule } from "../process/fork.ts";
import { type Ended, supervise } from "../process/supervise.ts";
import { badInput, type ErrorCode, TbarError } from "../tensor/error.ts";
import { printable } from "../tensor/printable.ts";
import { type Given, type Progress, silent } from "./context.ts";

/** What the process is told first. */
export interface Request {
  readonly name: string;
  readonly spec: object;
  readonly command?: string;
  /** The module that exports `jobs`. */
  readonly list: string;
}

/** An error on its way from one process to the other. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  /** Of a TbarError, or of the system. */
  readonly code?: string;
  readonly syscall?: string;
}

/** What the process tells: each step as it comes, and one end. */
export type Told =
  | { readonly step: keyof Progress; readonly given: readonly unknown[] }
  | { readonly result: unknown }
  | { readonly failure: Failure };

export interface ChildOptions extends Omit<Given, "trigger"> {
  /** MiB of JavaScript values (not of tensors) that the process may hold; Node's own limit unless told. */
  readonly heap?: number;
  /** URL of a module that exports other `jobs` than ours. */
  readonly list?: string;
}

/**
 * Run the job of this name in a process of its own, with the result that `runJob` has. What it prints is shown only when it crashes.
 * Throws what the job throws; the signal's reason within 2 s of an abort, nothing unfinished left behind; `unavailable` when the
 * process runs out of memory or is killed, `internal` when it crashes. It ends when this process does.
 */
export async function runInChild<R = unknown>(name: string, spec: object, given: ChildOptions = {}): Promise<R> {
  const { progress = silent, signal, command, heap, list = ourJobs } = given;
  signal?.throwIfAborted();
  const child = forkModule("child-process", import.meta.url, {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    node: heap === undefined ? [] : [`--max-old-space-size=${heap}`],
  });
  const { stop, ended } = supervise(child);
  const stopNow = () => stop();
  signal?.addEventListener("abort", stopNow);
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text) => (printed = (printed + text).slice(-most)));
  const answer: { result?: { readonly result: unknown }; failure?: Failure } = {};
  let ours: { readonly error: unknown } | undefined;
  child.on("message", (told: Told | null) => {
    if (typeof told !== "object" || told === null || ours !== undefined) return; // the job's code may send what it likes
    try {
      if ("result" in told) answer.result = told;
      else if ("failure" in told) answer.failure = told.failure;
      else if (steps.includes(told.step)) tellStep(progress, told.step, told.given);
    } catch (error) {
      ours = { error };
      stop();
    }
  });
  const request = { name, spec, list, ...(command !== undefined && { command }) } satisfies Request;
  try {
    try {
      child.send(request, () => {}); // it may have ended
    } catch (error) {
      ours = { error: badInput(`the spec of ${printable(name, 100)} is no data: ${(error as Error).message}`, error) };
      child.kill("SIGKILL");
    }
    const how = await ended;
    if (ours !== undefined) throw ours.error;
    if (answer.result !== undefined) return answer.result.result as R;
    signal?.throwIfAborted();
    throw answer.failure === undefined ? crash(name, how, printed) : thrown(answer.failure);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).syscall?.startsWith("spawn") ? unstarted(name, error) : error;
  } finally {
    signal?.removeEventListener("abort", stopNow);
  }
}

const ourJobs = new URL(`./index${import.meta.url.slice(import.meta.url.lastIndexOf("."))}`, import.meta.url).href;
const steps: readonly string[] = ["stage", "step", "plan", "opened"] satisfies (keyof Progress)[];

function tellStep<Step extends keyof Progress>(progress: Progress, step: Step, given: readonly unknown[]): void {
  (progress as Readonly<Partial<Record<Step, (...given: readonly unknown[]) => void>>>)[step]?.(...given);
}

/** Characters of what it printed that are kept. */
const most = 16_384;

const codes: readonly string[] = ["bad-input", "unavailable", "not-proven", "internal"] satisfies ErrorCode[];

/** The error as it was thrown there; that of an allocation that failed says so. */
function thrown({ name, message, stack, ...system }: Failure): Error {
  if (name === "TbarError" && codes.includes(`${system.code}`)) return new TbarError(system.code as ErrorCode, message);
  if (name === "RangeError" && /allocation failed|Invalid (typed )?array( buffer)? length/i.test(message))
    return new TbarError("unavailable", `out of memory: ${message}`);
  return Object.assign(new Error(message), { name, stack, ...system });
}

/** What a process says that ended without an answer. */
function crash(name: string, { by, code }: Ended, printed: string): TbarError {
  const process = `the process of ${name}`;
  if (/heap out of memory|bad_alloc|Allocation failed/.test(printed))
    return new TbarError("unavailable", `${process} ran out of memory`);
  if (by === "SIGKILL")
    return new TbarError("unavailable", `${process} was killed, by the system perhaps for want of memory`);
  const last = printable(printed.trim().split("\n").slice(-5).join(" | "), 600);
  const how = by === undefined ? `ended with exit ${code}` : `crashed (${by})`;
  return new TbarError("internal", `${process} ${how} without an answer${last === "" ? "" : `; it printed: ${last}`}`);
}

const unstarted = (name: string, cause: unknown) =>
  new TbarError("unavailable", `no process can be started for ${name}: ${(cause as Error).message}`, { cause });
