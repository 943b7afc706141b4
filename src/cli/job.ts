/** A command at work: in a process of its own that `main.ts` watches over, or by itself where nobody does. */
import { watchTemporaries } from "../checkpoint/atomic.ts";
import { endWithParent } from "../process/fork.ts";
import { patience, stopWhenTold, tellTemporary } from "../process/supervise.ts";
import { exits } from "./outcome.ts";
import { run } from "./run.ts";

const stop = new AbortController();
if (stopWhenTold(() => stop.abort())) {
  endWithParent();
  watchTemporaries(tellTemporary);
} else {
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(exits.interrupted);
      stop.abort();
      setTimeout(() => process.exit(exits.interrupted), patience).unref();
    });
  }
}
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error; // else: whoever read the pipe has gone
  process.exit(exits.done);
});

process.exitCode = await run(process.argv.slice(2), { out: process.stdout, err: process.stderr, signal: stop.signal });
