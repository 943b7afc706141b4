#!/usr/bin/env node
/** The binary: the process as a terminal, and its signals. */
import { exits } from "./outcome.ts";
import { run } from "./run.ts";

/** After a first signal the job may finish its step; then it is ended. Half-written outputs are removed either way. */
const patience = 10_000;

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.on(name, () => {
    if (stop.signal.aborted) process.exit(exits.interrupted);
    stop.abort();
    setTimeout(() => process.exit(exits.interrupted), patience).unref();
  });
}
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error; // else: whoever read the pipe has gone
  process.exit(exits.done);
});

process.exitCode = await run(process.argv.slice(2), { out: process.stdout, err: process.stderr, signal: stop.signal });
