/**
 * A foreign ONNX model in a process of its own: it may ask for any time and memory, and native code hears neither a signal nor an abort.
 * The process is killed when it is told to stop, when it goes on for too long without an answer, and when it takes too much memory.
 */
import type { ChildProcess } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { stat } from "node:fs/promises";
import { tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { forkModule } from "../process/fork.ts";
import type { Feeds, Program } from "../runtime/executor.ts";
import { prepareRuntime, type RuntimeOptions } from "../runtime/onnxruntime.ts";
import { badInput, TbarError } from "../tensor/error.ts";
import type { Answer, Fed, OnnxFacts, Question } from "./onnx-messages.ts";

/** Generous: a slow core takes 20 s an image of ViT-L/14 at 336 pixels, and a minute to open such a model of 1.7 GB. */
const limits = {
  /** Seconds to open files, and for each GiB of them. */
  open: { base: 120, perGiB: 60 },
  /** Seconds to answer a batch, and for each of its rows. */
  run: { base: 60, perRow: 20 },
  /** GiB of memory, and for each GiB of files; at most this share of the machine's. */
  memory: { base: 8, perGiB: 4, share: 0.8 },
  /** MiB of JavaScript values, of which only the names and operators of a file are made. */
  heap: 1024,
} as const;

export interface ForeignModel {
  readonly description: string;
  readonly facts: OnnxFacts;
  /** One for each file. */
  readonly programs: readonly Program[];
  release(): Promise<void>;
}

export interface ForeignOptions extends RuntimeOptions {
  /** Ends the process; what is asked of it then throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Opens the files, checked, each as a program. Throws `bad-input` when one cannot be read, or not within its limits. */
export async function openForeign(
  paths: readonly string[],
  { signal, device, threads }: ForeignOptions = {},
): Promise<ForeignModel> {
  await prepareRuntime();
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  const gib = sizes.reduce((sum, size) => sum + size, 0) / 2 ** 30;
  const child = startChild(paths[0], gib, signal);
  const options = { ...(device && { device }), ...(threads && { threads }) };
  const answer = await child.ask(() => ({ ask: "open", paths, options }), limits.open.base + limits.open.perGiB * gib);
  if (!("opened" in answer)) throw new Error("no program in the answer");
  const { programs, ...opened } = answer.opened;
  return {
    ...opened,
    programs: programs.map((names, program) => ({
      ...names,
      async run(feeds, _, only) {
        const rows = Math.max(1, ...Object.values(feeds).map(({ shape }) => shape[0] ?? 1));
        const question = () => ({ ask: "run", program, fed: child.share(feeds), ...(only && { only }) }) as const;
        const answer = await child.ask(question, limits.run.base + limits.run.perRow * rows);
        if (!("results" in answer)) throw new Error("no results in the answer");
        return answer.results;
      },
      release: async () => {},
    })),
    release: async () => child.end(),
  };
}

interface Child {
  /** One question after the other; it is made when its turn comes. Throws why the process ended, if it does. */
  ask(question: () => Question, seconds: number): Promise<Answer>;
  /** Puts values into the shared file, for the question that is being made. */
  share(feeds: Feeds): Fed[];
  end(): void;
}

function startChild(path: string, gib: number, signal: AbortSignal | undefined): Child {
  signal?.throwIfAborted();
  const file = openShared();
  const child = forkModule("onnx-child", import.meta.url, {
    stdio: ["ignore", "ignore", "ignore", "ipc", file],
    node: [`--max-old-space-size=${limits.heap}`],
  });
  const { base, perGiB, share } = limits.memory;
  const most = Math.min((base + perGiB * gib) * 2 ** 30, share * totalmem());
  let ended: unknown;
  let pending: { resolve(answer: Answer): void; reject(why: unknown): void } | undefined;
  const end = (why: unknown) => {
    ended ??= why;
    child.kill("SIGKILL");
    pending?.reject(ended);
  };
  const stop = () => end(signal?.reason);
  signal?.addEventListener("abort", stop);
  child.on("message", (answer: Answer) => pending?.resolve(answer));
  child.on("error", (cause) =>
    end(new TbarError("unavailable", "no process can be started for a foreign model", { cause })),
  );
  child.on("exit", (code, by) => {
    end(badInput(`${path} made ONNX Runtime end with ${by ?? `exit ${code}`}`));
    signal?.removeEventListener("abort", stop);
    closeSync(file);
  });
  keepAlive(child, false);

  const answered = async (question: Question, seconds: number): Promise<Answer> => {
    if (ended !== undefined) throw ended;
    const late = setTimeout(() => end(badInput(`${path} gave no answer in ${Math.round(seconds)} s`)), seconds * 1000);
    const look = setInterval(() => {
      if (memoryOf(child) > most) end(badInput(`${path} takes more than ${(most / 2 ** 30).toFixed(1)} GiB of memory`));
    }, 100);
    keepAlive(child, true);
    try {
      const answer = await new Promise<Answer>((resolve, reject) => {
        pending = { resolve, reject };
        child.send(question, (error) => error && reject(ended ?? error));
      });
      if (!("message" in answer)) return answer;
      throw answer.code === undefined ? new Error(answer.message) : new TbarError(answer.code, answer.message);
    } finally {
      pending = undefined;
      clearTimeout(late);
      clearInterval(look);
      keepAlive(child, false);
    }
  };
  let before: Promise<unknown> = Promise.resolve();
  return {
    ask(question, seconds) {
      const answer = before.then(() => answered(question(), seconds));
      before = answer.catch(() => {});
      return answer;
    },
    share: (feeds) => shared(file, feeds),
    end: () => end(new Error("the model was released")),
  };
}

/** While it is asked nothing, the process does not keep ours from ending. */
function keepAlive(child: ChildProcess, isAsked: boolean): void {
  if (isAsked) child.channel?.ref();
  else child.channel?.unref();
  if (!isAsked) child.unref();
}

/** Resident, in bytes; 0 where the system does not tell. */
function memoryOf({ pid }: ChildProcess): number {
  try {
    return 1024 * Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** A file without a name: gone when both processes are, however they end. Where an open file keeps its name, until it is closed. */
function openShared(): number {
  const folder = mkdtempSync(join(tmpdir(), "tbar-onnx-"));
  const file = openSync(join(folder, "values"), "w+", 0o600);
  try {
    rmSync(folder, { recursive: true });
  } catch {} // Windows: it stays in the folder of temporary files
  return file;
}

function shared(file: number, feeds: Feeds): Fed[] {
  let at = 0;
  return Object.entries(feeds).map(([name, { shape, data }]) => {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const fed = { name, isInt: data instanceof Int32Array, shape, at, bytes: bytes.length };
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done, at + done);
    at += bytes.length;
    return fed;
  });
}
