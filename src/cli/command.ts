/** A command's page: what it does, how it is used. Options and action are chained on. */
import { Command } from "@commander-js/extra-typings";
import type { Page as JobPage } from "../jobs/job.ts";
import type { Field } from "../jobs/spec.ts";
import { exitsText } from "./outcome.ts";

export interface Page extends JobPage {
  /** A few words for the list of commands. */
  readonly summary?: string;
}

/** What commands and their options were made of. */
export const pages = new WeakMap<object, Page>();
export const fieldsOfOptions = new WeakMap<object, Field>();

export function command<Name extends string>(name: Name, page: Page) {
  const { summary = "", about, examples, notes, exits } = page;
  const after = [notes, `Examples:\n${examples.map((line) => `  $ ${line}`).join("\n")}`, exitsText(exits)];
  const made = new Command(name)
    .summary(summary)
    .description(about)
    .addHelpText("after", `\n${after.filter(Boolean).join("\n\n")}`);
  pages.set(made, page);
  return made;
}
