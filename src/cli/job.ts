/** A command at work: in a process of its own that `main.ts` watches over, or by itself where nobody does. */
import { watchTemporaries } from "../files/atomic.ts";
import { endWithParent } from "../process/fork.ts";
import { patience, stopWhenTold, tellTemporary } from "../process/supervise.ts";
import { printable } from "../tensor/printable.ts";
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
// Node would end with 1, which says that nothing was verified
process.on("uncaughtException", (error) => {
  process.stderr.write(`tbar: internal error: ${printable(error.stack ?? String(error))}\n`);
  process.exit(exits.internal);
});
process.stderr.on("error", () => {}); // nobody listens any more, or the disk is full: the work goes on
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exits.done); // whoever read the pipe has gone
  process.stderr.write(`tbar: cannot write the result to standard output: ${printable(error.message)}\n`);
  process.exit(exits.badInput);
});

process.exitCode = await run(process.argv.slice(2), { out: process.stdout, err: process.stderr, signal: stop.signal });
