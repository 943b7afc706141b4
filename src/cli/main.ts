#!/usr/bin/env node
/**
 * The binary: starts the command in a process of its own and watches over it, as a signal cannot be heard while native code computes. Pages
 * of help are not worth a process, and a debugger or hook is meant for the command.
 */
import { constants } from "node:os";
import { forkModule } from "../process/fork.ts";
import { supervise } from "../process/supervise.ts";
import { exits } from "./outcome.ts";

const argv = process.argv.slice(2);
const isHelp = argv.length === 0 || argv[0] === "help" || argv.some((word) => /^(-h|--help|--version)$/.test(word));
const isWatchedByOthers = process.execArgv.some((word) =>
  /^(-r|--(import|require|loader|inspect|cpu-prof|heap-prof))/.test(word),
);
if (isHelp || isWatchedByOthers) await import("./job.ts");
else {
  process.stderr.on("error", () => {}); // as the job itself has it
  process.exitCode = await watched();
}

async function watched(): Promise<number> {
  const child = forkModule("job", import.meta.url, {
    args: argv,
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    node: process.execArgv,
  });
  const job = supervise(child);
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const name of signals) process.on(name, () => job.stop(name));
  const { code, by, signal } = await job.ended;
  for (const name of signals) process.removeAllListeners(name);
  if (signal !== undefined) {
    if (code === undefined) say("interrupted", "interrupted");
    const isOver = code === undefined || code === exits.interrupted;
    return isOver ? (signal === "SIGINT" ? exits.interrupted : 128 + constants.signals[signal]) : code;
  }
  if (code !== undefined) return code;
  say(
    "internal",
    `the command's process was ended by ${by}${by === "SIGKILL" ? ", by the system perhaps for want of memory" : ""}`,
  );
  return exits.internal;
}

/** As `run` would have said it. */
function say(code: string, message: string): void {
  process.stderr.write(`${process.stderr.isTTY ? "\r\x1b[K" : ""}tbar: ${message}\n`);
  if (argv.includes("--json")) process.stdout.write(`${JSON.stringify({ error: { code, message } }, null, 2)}\n`);
}
