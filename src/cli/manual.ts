/** The manual page, tbar(1), in roff: all that the pages of help say. */
import { exitsHelp } from "./outcome.ts";
import { allOf, type Outline, type OutlineOption } from "./outline.ts";

/** The page; the same commands give the same one. */
export function manual(tbar: Outline, version: string): string {
  const [, ...commands] = allOf(tbar);
  return [
    `.TH TBAR 1 "" "tbar ${escaped(version)}" "User Commands"`,
    section("NAME"),
    `tbar \\- find and remove backdoors in CLIP models by arithmetic on their weights`,
    section("SYNOPSIS"),
    ".B tbar",
    ".I command",
    "[options]",
    section("DESCRIPTION"),
    ...tbar.about.split("\n\n").flatMap((text) => [".PP", line(text.replaceAll("\n", " "))]),
    section("COMMANDS"),
    ...commands.flatMap(page),
    section("EXIT STATUS"),
    ...asTyped(exitsHelp.split("\n").slice(1).join("\n")),
    "",
  ].join("\n");
}

const section = (name: string) => `.SH ${name}`;

function page({ name, about, page, arguments: given, options, commands }: Outline): string[] {
  const places = given.map(({ name }) => ` \\fI${escaped(name)}\\fP`).join("");
  const usage = `\\fB${escaped(name)}\\fP${places}${commands.length > 0 ? " \\fIcommand\\fP" : ""} [options]`;
  return [
    `.SS "${usage.replaceAll('"', "\\(dq")}"`,
    line(about),
    ...given.flatMap(({ name, help }) => [".TP", `\\fI${escaped(name)}\\fP`, line(help)]),
    ...options.filter(({ long }) => long !== "--help").flatMap(described),
    ...(page?.exits === undefined ? [] : [".PP", "Exit status:", ...asTyped(page.exits)]),
    ...(page?.notes === undefined ? [] : [".PP", ...asTyped(page.notes)]),
    ...(page === undefined ? [] : [".PP", "Examples:", ...asTyped(page.examples.map((one) => `  ${one}`).join("\n"))]),
  ];
}

function described({ long, value, help }: OutlineOption): string[] {
  const taken = value === undefined ? "" : ` \\fI${escaped(value)}\\fP`;
  return [".TP", `\\fB${escaped(long)}\\fP${taken}`, line(help)];
}

/** Lines as they are, in a font of fixed width where there is one. */
const asTyped = (text: string) => [".EX", ...text.split("\n").map(line), ".EE"];

/** A line of text; a point or quote at its beginning would be an instruction. */
const line = (text: string) => escaped(text).replace(/^(?=[.'])/, "\\&");

/** Backslashes and hyphens are meant; what is beyond ASCII is named by its number. */
function escaped(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/[^\x20-\x7e]/gu, (char) => `\\[u${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}]`);
}
