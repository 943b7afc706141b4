/** A job in a process of its own: whatever it computes, it ends soon after a signal, and what it had not finished writing is removed. */
import type { ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";

/** What the process of a job is told. */
export const stopMessage = "tbar: stop";

/** What it tells: a temporary file or folder has come, or gone. */
export interface TemporaryMessage {
  readonly temporary: string;
  readonly exists: boolean;
}

export interface Ended {
  /** Of the process; undefined if it was killed. */
  readonly code?: number;
  /** That killed it, where we did not. */
  readonly by?: NodeJS.Signals;
  /** The first one that asked for the end. */
  readonly signal?: NodeJS.Signals;
}

export interface Supervision {
  /** The end has been asked for: by a signal to this process, or by a caller. A second time it is killed at once. */
  stop(signal?: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
}

/** Milliseconds that a job has to end by itself, and in which two signals are one: a terminal and `npx` both send Ctrl-C. */
export const patience = 1200;
const same = 300;

/** Watches over a job from its start. It listens with `stopWhenTold`. */
export function supervise(child: ChildProcess): Supervision {
  const temporaries = new Set<string>();
  let [first, firstAt]: [NodeJS.Signals | undefined, number | undefined] = [undefined, undefined];
  child.on("message", (told: TemporaryMessage) => {
    if (typeof told?.temporary !== "string") return;
    if (told.exists) temporaries.add(told.temporary);
    else temporaries.delete(told.temporary);
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, by) => {
      for (const path of temporaries) rmSync(path, { recursive: true, force: true });
      resolve({ ...(code !== null && { code }), ...(by && { by }), ...(first && { signal: first }) });
    });
  });
  const kill = () => child.kill("SIGKILL");
  return {
    ended,
    stop(signal = "SIGTERM") {
      if (firstAt !== undefined) {
        if (performance.now() - firstAt > same) kill();
        return;
      }
      [first, firstAt] = [signal, performance.now()];
      if (child.connected) child.send(stopMessage, () => {}); // it may have ended meanwhile
      setTimeout(kill, patience).unref();
    },
  };
}

/** In the process of a job: what comes of a message to stop, where the job has a supervisor. Its own signals are the supervisor's to hear. */
export function stopWhenTold(stop: () => void): boolean {
  if (process.channel === undefined) return false;
  process.on("message", (told) => {
    if (told === stopMessage) stop();
  });
  process.channel.unref();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => {});
  return true;
}

/** In the process of a job: tells the supervisor what to remove if it has to kill. */
export function tellTemporary(temporary: string, exists: boolean): void {
  if (process.connected) process.send?.({ temporary, exists } satisfies TemporaryMessage);
}
