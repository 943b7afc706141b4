/** Modules of our own in processes of their own: what a process does cannot be stopped from within while native code computes. */
import { type ChildProcess, fork, type StdioOptions } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";

export interface ForkOptions {
  readonly args?: readonly string[];
  /** Four or more, one of them "ipc". */
  readonly stdio: StdioOptions;
  /** For Node itself, such as --max-old-space-size=1024. */
  readonly node?: readonly string[];
}

/**
 * A process that runs the module of this name beside `from` (an `import.meta.url`): as it was built, or from its source where `from` is
 * source. When memory runs out it is the first that the system ends.
 */
export function forkModule(name: string, from: string, { args = [], stdio, node = [] }: ForkOptions): ChildProcess {
  const isSource = from.endsWith(".ts");
  const loader = isSource ? ["--import", sourceLoader(from)] : [];
  const file = fileURLToPath(new URL(`${name}${isSource ? ".ts" : ".js"}`, from));
  const env = environmentOf(process.env);
  const child = fork(file, args, { stdio, env, serialization: "advanced", execArgv: [...node, ...loader] });
  if (process.platform === "linux") void writeFile(`/proc/${child.pid}/oom_score_adj`, "1000").catch(() => {});
  return child;
}

/**
 * For glibc's malloc, read by no other: blocks of up to 64 MiB, as pixels and activations are, come from memory that the process has had
 * before, instead of from the system, page by page, each time.
 */
export const allocation = { MALLOC_MMAP_THRESHOLD_: String(2 ** 26), MALLOC_TRIM_THRESHOLD_: String(2 ** 26) };

/** Of a process that is made: what the user has set stays. */
export const environmentOf = (ours: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...allocation,
  ...ours,
  [parentVariable]: String(process.pid),
});

/** What reads TypeScript in the tests. */
const sourceLoader = (from: string) =>
  new URL("lib/jiti-register.mjs", pathToFileURL(createRequire(from).resolve("jiti/package.json"))).href;

/** Tells a process which one made it: that one may have gone before it could look. */
const parentVariable = "TBAR_PARENT";

/**
 * Called in such a process: it ends when the one that made it has gone, even while it computes. A thread looks twice a second, and begins
 * after so many milliseconds, so that short work does not pay for it; work that computes before has none.
 */
export function endWithParent(after = 1000): void {
  process.on("disconnect", () => process.exit());
  const parent = Number(process.env[parentVariable] ?? process.ppid);
  if (process.ppid !== parent) process.exit();
  const code = `
    setInterval(() => {
      if (process.ppid !== ${parent}) process.kill(process.pid, "SIGKILL");
    }, 500);`;
  setTimeout(() => new Worker(code, { eval: true, execArgv: [] }).unref(), after).unref();
}
