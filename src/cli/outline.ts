/** The commands as data, for all that is made of them beside help: completion in shells, the manual. */
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { fieldsOfOptions, type Page, pages } from "./command.ts";

export interface OutlineOption {
  /** "--lr" */
  readonly long: string;
  /** "-h" */
  readonly short?: string;
  /** The word for its value, where it takes one: "rate". */
  readonly value?: string;
  /** The values it may have, where they are few. */
  readonly known: readonly string[];
  /** May it be given several times? */
  readonly isList: boolean;
  readonly help: string;
}

export interface Outline {
  /** As it is typed: "tbar vector diff". */
  readonly name: string;
  readonly summary: string;
  readonly about: string;
  readonly page?: Page;
  readonly arguments: readonly { readonly name: string; readonly help: string; readonly known: readonly string[] }[];
  readonly options: readonly OutlineOption[];
  readonly commands: readonly Outline[];
}

/** What help shows of a command and of those in it. */
export function outlineOf(command: CommandUnknownOpts, above = ""): Outline {
  const help = command.createHelp();
  const name = `${above}${command.name()}`;
  return {
    name,
    summary: command.summary(),
    about: command.description(),
    page: pages.get(command),
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.variadic ? `${argument.name()}...` : argument.name(),
      help: argument.description,
      known: argument.argChoices ?? [],
    })),
    options: help.visibleOptions(command).map((option) => {
      const field = fieldsOfOptions.get(option);
      return {
        long: option.long ?? "",
        short: option.short,
        value: /<(.+)>/.exec(option.flags)?.[1],
        known: field?.json.enum ?? field?.json.items?.enum ?? [],
        isList: field?.json.type === "array",
        help: help.optionDescription(option),
      };
    }),
    commands: command.commands.map((inner) => outlineOf(inner, `${name} `)),
  };
}

/** A command and all in it, the outer ones first. */
export function allOf(outline: Outline): readonly Outline[] {
  return [outline, ...outline.commands.flatMap(allOf)];
}
