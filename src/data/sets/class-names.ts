/** Lists of class names in files. */
import { basename, dirname, join, resolve } from "node:path";
import { z } from "zod";
import { isFile } from "../../files/files.ts";
import { parseJson } from "../../files/json.ts";
import { badInput } from "../../tensor/error.ts";
import { type Encoding, readText } from "../formats/text.ts";

const maxBytes = 1 << 24;
const names = z.array(z.string());
const classesJson = z.union([names, z.object({ classes: names }).transform(({ classes }) => classes)]);

export interface ClassList {
  readonly names: readonly string[];
  /** Where they come from, for eyes. */
  readonly file: string;
}

/** Whether a folder has the name of an official part of a data set. */
export const isPartName = (name: string): boolean => /^(train(ing)?|test(ing)?|val(id(ation)?)?)$/i.test(name);

/**
 * classes.json (a list, or { "classes": a list }), classes.txt or classnames.txt (a name a line) in the folder; for a part such as train/ or test/ also above it, where
 * CLIP_benchmark has it. Undefined where there is none.
 */
export async function classNamesBeside(folder: string, encoding?: Encoding): Promise<ClassList | undefined> {
  const above = isPartName(basename(resolve(folder))) ? [dirname(resolve(folder))] : [];
  for (const place of [folder, ...above]) {
    const json = join(place, "classes.json");
    if (await isFile(json)) return { names: await readClassesJson(json), file: json };
    for (const name of ["classes.txt", "classnames.txt"]) {
      const file = join(place, name);
      const lines = await readLines(file, encoding);
      if (lines !== undefined) return { names: lines, file };
    }
  }
  return undefined;
}

async function readClassesJson(file: string): Promise<string[]> {
  const text = await readText(file, { limit: maxBytes });
  try {
    return classesJson.parse(parseJson(text, file, { bytes: maxBytes }));
  } catch (cause) {
    throw badInput(`${file}: expected a JSON list of class names, or { "classes": [...] }`, cause);
  }
}

/** The lines of a small text file that are not blank, trimmed; undefined if there is no such file. */
export async function readLines(file: string, encoding?: Encoding): Promise<string[] | undefined> {
  if (!(await isFile(file))) return undefined;
  const found = plainLines(await readText(file, { encoding, limit: maxBytes }));
  const code = codeIn(found);
  if (code !== undefined) throw badInput(`${file} ${code}; expected one name a line`);
  return found;
}

/** The lines of a text that are not blank, trimmed. */
export const plainLines = (text: string): string[] =>
  text
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");

/**
 * What shows that these lines are more than the names or templates themselves: copied out of a program or a JSON file, or numbered. Read as
 * they are, the quotes, commas and numbers would go into every prompt and change each figure.
 */
export function codeIn(lines: readonly string[]): string | undefined {
  const code = lines.find((line) => /^(lambda\b|[[\](){},]+$|\[.*\],?$)/.test(line));
  if (code !== undefined) return `has the line ${JSON.stringify(code.slice(0, 80))}, as a program or JSON would`;
  if (lines.length > 0 && lines.every((line) => /^(["']).*\1,?$/.test(line)))
    return `has its lines in quotes, such as ${JSON.stringify(lines[0].slice(0, 80))}: leave them and the commas out`;
  const numbers = lines.map((line) => Number(/^(\d{1,6})(?:[\t:,;]| (?=\S))/.exec(line)?.[1] ?? Number.NaN));
  if (lines.length > 1 && [0, 1].some((first) => numbers.every((number, i) => number === first + i)))
    return `has its lines numbered, such as ${JSON.stringify(lines[0].slice(0, 80))}: leave the numbers out`;
  return undefined;
}
