/** Options that are the frame's, not the job's: what is said, and how. */
import { type CommandUnknownOpts, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { groups } from "../jobs/fields.ts";

export function frameOptions(command: CommandUnknownOpts, hasPlan: boolean): void {
  const add = (group: string, flags: string, text: string, parse?: typeof once) => {
    const option = new Option(flags, text).helpGroup(group);
    command.addOption(parse === undefined ? option : option.argParser(parse));
  };
  add(
    groups.run,
    "--config <file>",
    "options from a YAML or JSON file, under the names of tbar schema; those given here win",
    once,
  );
  if (hasPlan)
    add(groups.run, "--dry-run", "check the inputs, say what time, memory and disk it will take, and do nothing");
  add(groups.output, "--json", "print the result as one JSON document");
  add(groups.output, "--quiet", "no progress");
  add(groups.output, "--debug", "on an error, show where it comes from");
}

function once(path: string, before: string | undefined): string {
  if (before !== undefined) throw new InvalidArgumentError("It is the second one; one file holds all options.");
  return path;
}
