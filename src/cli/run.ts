/** From arguments to an exit status: the commands, their frame, and what is said when something goes wrong. */
import { Command, CommanderError, type CommandUnknownOpts, Help } from "@commander-js/extra-typings";
import { version } from "../files/version.ts";
import { type Progress, silent } from "../jobs/progress/progress.ts";
import { joinOpened, type Opened, openedLine } from "../results/opened.ts";
import { type ErrorCode, TbarError } from "../tensor/error.ts";
import { families, jobs } from "./all-jobs.ts";
import { command } from "./command.ts";
import { cleanCommand } from "./commands/clean.ts";
import { demoCommand } from "./commands/demo.ts";
import { evalCommand } from "./commands/eval.ts";
import { schemaCommand } from "./commands/schema.ts";
import { setupCommand } from "./commands/setup.ts";
import { groups } from "./options.ts";
import { exits, exitsHelp, type Job, type Outcome, type Perform } from "./outcome.ts";
import { progressLine } from "./progress.ts";
import { gated, jsonText, type Terminal } from "./terminal.ts";
import { views } from "./views/index.ts";

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
    const command = ["tbar", ...argv].map(quoted).join(" ");
    const job: Job = { progress, signal: terminal.signal, command, name: argv[0] };
    const outcome = await finished(job, work).finally(line.end);
    terminal.out.write(options.json ? jsonText({ ...outcome.json, ...(opened && { opened }) }) : outcome.text);
    code = outcome.proven === false ? exits.notProven : exits.done;
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

/** The outcome of a command's work when all its outputs are there; those of work that fails are taken back. */
async function finished(job: Job, work: (job: Job) => Promise<Outcome>): Promise<Outcome> {
  try {
    const outcome = await work(job);
    await job.set?.finish();
    return outcome;
  } catch (error) {
    await job.set?.fail();
    throw error;
  }
}

async function createProgram(
  argv: readonly string[],
  perform: Perform,
  { out, err }: Terminal,
): Promise<CommandUnknownOpts> {
  const program = new Command("tbar")
    .description(
      "Finds the direction in a CLIP model's weights that makes a backdoor work, and subtracts it.\n" +
        "Every claim is measured on images that took no part in it, on the file as it was written.\n\nTry: tbar demo",
    )
    .version(version, "--version")
    .helpOption("-h, --help", "this page")
    .helpCommand("help [command]", "the page of a command")
    .addHelpText("after", `\n${exitsHelp}\n\ntbar COMMAND --help explains a command and its options.`)
    .configureHelp({ groupItems: inOrder })
    .configureOutput({
      writeOut: (text) => out.write(text),
      writeErr: (text) => err.write(text),
      getOutHelpWidth: () => out.columns || 100,
      getErrHelpWidth: () => err.columns || 100,
      outputError: () => {}, // said by `complain`
    })
    .exitOverride();
  const commands = [demoCommand, cleanCommand, evalCommand, setupCommand, schemaCommand];
  for (const make of commands) program.addCommand(inherit(make(perform), program));
  await addJobs(program, argv, perform);
  return program;
}

/** A command for each job: whole where it is asked for, else its name and a few words. */
async function addJobs(program: CommandUnknownOpts, argv: readonly string[], perform: Perform): Promise<void> {
  for (const [name, { summary, load }] of Object.entries(jobs)) {
    const [first, second] = name.split(" ");
    const isAsked = argv.includes(first) && (second === undefined || argv.includes(second));
    const made = isAsked
      ? (await import("./job-command.ts")).jobCommand({ ...(await load()), summary }, views[name], perform)
      : new Command(second ?? first).summary(summary);
    const family = families[first];
    if (family !== undefined && !program.commands.some((one) => one.name() === first))
      program.addCommand(inherit(command(first, family), program));
    const parent = second === undefined ? program : program.commands.find((one) => one.name() === first)!;
    parent.addCommand(inherit(made, parent));
  }
}

function inherit(command: CommandUnknownOpts, from: CommandUnknownOpts): CommandUnknownOpts {
  command.copyInheritedSettings(from);
  for (const child of command.commands) inherit(child, command);
  return command;
}

/** Options by heading: inputs, the command's own, the run, output, help. */
const inOrder: Help["groupItems"] = (all, visible, groupOf) => {
  const rank = (heading: string) => {
    const known = [groups.inputs, undefined, groups.run, groups.output, "Options:"].indexOf(heading as never);
    return known < 0 ? 1 : known;
  };
  const found = new Help().groupItems(all, visible, groupOf);
  return new Map([...found].sort(([a], [b]) => rank(a) - rank(b)));
};

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
  "not-proven": exits.notProven,
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

/** An argument as a shell takes it. */
function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}
