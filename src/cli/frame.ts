/** Options that are the frame's, not the job's: what is said, and how. */
import { type CommandUnknownOpts, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { groups } from "../jobs/job.ts";

/** Of every job. */
export function frameOptions(command: CommandUnknownOpts, hasPlan: boolean): void {
  const config = "options from a YAML or JSON file, under the names of tbar schema; those given here win";
  const dry = "check the inputs, say what time, memory and disk it will take, and do nothing";
  command.addOption(new Option("--config <file>", config).helpGroup(groups.run).argParser(once));
  if (hasPlan) command.addOption(new Option("--dry-run", dry).helpGroup(groups.run));
  outputOptions(command);
}

/** Of every command that has an answer. */
export function outputOptions(command: CommandUnknownOpts): void {
  const add = (flags: string, text: string) => command.addOption(new Option(flags, text).helpGroup(groups.output));
  add("--json", "print the result as one JSON document");
  add("--quiet", "no progress");
  add("--debug", "on an error, show where it comes from");
}

function once(path: string, before: string | undefined): string {
  if (before !== undefined) throw new InvalidArgumentError("It is the second one; one file holds all options.");
  return path;
}
