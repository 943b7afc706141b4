/** A command's page: what it does, how it is used. Options and action are chained on. */
import { Command } from "@commander-js/extra-typings";
import type { Page as JobPage } from "../jobs/job.ts";
import { exitsHelp } from "./outcome.ts";

export interface Page extends JobPage {
  /** A few words for the list of commands. */
  readonly summary?: string;
}

export function command<Name extends string>(name: Name, { summary = "", about, examples, notes }: Page) {
  const after = [notes, `Examples:\n${examples.map((line) => `  $ ${line}`).join("\n")}`, exitsHelp];
  return new Command(name)
    .summary(summary)
    .description(about)
    .addHelpText("after", `\n${after.filter(Boolean).join("\n\n")}`);
}
