/** From arguments to an exit status: a command in its frame, and what is said when something goes wrong. */
import { CommanderError } from "@commander-js/extra-typings";
import { type Progress, silent } from "../jobs/progress/progress.ts";
import type { Opened } from "../results/opened.ts";
import { joinOpened, openedLine } from "../results/opened-line.ts";
import { type ErrorCode, TbarError } from "../tensor/error.ts";
import { exits, type Perform } from "./outcome.ts";
import { createProgram } from "./program.ts";
import { progressLine } from "./progress.ts";
import { gated, jsonText, type Terminal } from "./terminal.ts";
import { shellWord } from "./text.ts";

/** Run `tbar` with these arguments. Never throws: the exit status says how it went. */
export async function run(
  argv: readonly string[],
  given: Terminal,
  now: () => number = () => performance.now(),
): Promise<number> {
  const started = now();
  const terminal = { ...given, out: gated(given.out), err: gated(given.err) };
  let code: number = exits.done;
  let opened: Opened | undefined;
  const perform: Perform = async (options, work) => {
    const line = options.quiet ? { ...silent, say: () => {}, end: () => {} } : progressLine(given.err);
    const progress: Progress = {
      ...line,
      opened(found) {
        opened = joinOpened(opened, found);
        line.say(openedLine(found));
      },
    };
    const command = ["tbar", ...argv].map(shellWord).join(" ");
    const say = (text: string) => terminal.err.write(`tbar: ${text}\n`);
    const outcome = await work({ progress, signal: terminal.signal, command, say }).finally(line.end);
    terminal.out.write(options.json ? jsonText({ ...outcome.json, ...(opened && { opened }) }) : outcome.text);
    code = outcome.exitCode ?? (outcome.verified === false ? exits.notVerified : exits.done);
  };
  const program = await createProgram(argv, perform, terminal);
  try {
    await program.parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exits.done; // help and version
    return complain(error, argv, terminal, { opened, seconds: (now() - started) / 1000 });
  }
}

/** What is known of a command that failed. */
interface Failed {
  readonly opened?: Opened;
  readonly seconds: number;
}

/** Says what went wrong, for eyes and (with --json) for programs, and gives the exit status. */
function complain(
  error: unknown,
  argv: readonly string[],
  { out, err, signal }: Terminal,
  { opened, seconds }: Failed,
): number {
  if (error instanceof CommanderError && error.code === "commander.help") return exits.badInput; // it was printed
  const { code, message } = signal.aborted ? interruption(argv, seconds) : told(error);
  err.write(`tbar: ${message.replace(/\s*\n\s*/g, " ")}\n`); // one line: what is quoted in it cannot forge another
  if (argv.includes("--debug") && error instanceof Error) err.write(`${stackOf(error)}\n`);
  if (argv.includes("--json")) out.write(jsonText({ error: { code, message }, ...(opened && { opened }) }));
  return statuses[code];
}

/** A long job that could have been kept is told of --state. */
function interruption(argv: readonly string[], seconds: number): Said {
  const isKept = argv.includes("--state") || argv.some((word) => word.startsWith("--state="));
  const isLost = seconds >= long && keeping.includes(argv[0]) && !isKept;
  const advice = isLost ? "; with --state FOLDER the same command would go on from where it was" : "";
  return { code: "interrupted", message: `interrupted${advice}` };
}

/** Commands that take --state, and the seconds from which their work is worth keeping. */
const keeping: readonly string[] = ["attack", "clean"];
const long = 60;

/** With what it came from, such as ONNX Runtime's own words. */
function stackOf({ stack, cause }: Error): string {
  return cause instanceof Error ? `${stack}\nbecause of ${stackOf(cause)}` : `${stack}`;
}

const statuses: Readonly<Record<Said["code"], number>> = {
  "bad-input": exits.badInput,
  unavailable: exits.badInput,
  "not-proven": exits.notVerified,
  interrupted: exits.interrupted,
  internal: exits.internal,
};

interface Said {
  readonly code: ErrorCode | "interrupted" | "internal";
  readonly message: string;
}

function told(error: unknown): Said {
  if (error instanceof TbarError) return { code: error.code, message: error.message };
  if (error instanceof CommanderError) return { code: "bad-input", message: usageMessage(error.message) };
  const message = error instanceof Error ? error.message : String(error);
  if (typeof (error as NodeJS.ErrnoException)?.syscall === "string") return { code: "bad-input", message };
  return { code: "internal", message: `internal error: ${message}. Please report it with what --debug shows` };
}

/** "error: unknown option '--modle'\n(Did you mean --model?)" -> "unknown option '--modle'; did you mean --model?" */
function usageMessage(message: string): string {
  return message.replace(/^error: /, "").replace(/\s*\(Did you mean (.*)\?\)$/s, "; did you mean $1?");
}
