/** The commands, and how their pages of help look. */
import { Command, type CommandUnknownOpts, Help } from "@commander-js/extra-typings";
import { version } from "../files/version.ts";
import { groups } from "../jobs/job.ts";
import { families, jobs } from "./all-jobs.ts";
import { command } from "./command.ts";
import { completionCommand } from "./commands/completion.ts";
import { schemaCommand } from "./commands/schema.ts";
import { setupCommand } from "./commands/setup.ts";
import { exitsHelp, type Perform } from "./outcome.ts";
import type { Terminal } from "./terminal.ts";
import { views } from "./views/index.ts";

/** What is asked for in `argv` is there in full, and all of it where the whole is looked at; of the rest a line for the list. */
export async function createProgram(
  argv: readonly string[],
  perform: Perform,
  { out, err }: Pick<Terminal, "out" | "err">,
  isWhole = argv[0] === "completion",
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
  await addJobs(program, isWhole ? undefined : argv, perform);
  for (const make of [setupCommand, schemaCommand, completionCommand])
    program.addCommand(inherit(make(perform), program));
  return program;
}

/** A command for each job: whole where it is asked for, else its name and a few words. */
async function addJobs(program: CommandUnknownOpts, argv: readonly string[] | undefined, perform: Perform) {
  for (const [name, { summary, load }] of Object.entries(jobs)) {
    const [first, second] = name.split(" ");
    const isAsked = argv === undefined || (argv.includes(first) && (second === undefined || argv.includes(second)));
    const made = isAsked
      ? (await import("./job-command.ts")).jobCommand({ ...(await load()), summary }, views[name], perform)
      : new Command(second ?? first).summary(summary);
    const family = families[first];
    if (family !== undefined && !program.commands.some((one) => one.name() === first))
      program.addCommand(inherit(command(first, family), program));
    const parent = second === undefined ? program : program.commands.find((one) => one.name() === first)!;
    parent.enablePositionalOptions(); // what stands after the second word is that one's
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
