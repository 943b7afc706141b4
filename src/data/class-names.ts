/** Lists of class names in files. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { parseJson } from "../files/json.ts";
import { badInput } from "../tensor/error.ts";

const maxBytes = 1 << 24;
const names = z.array(z.string());
const classesJson = z.union([names, z.object({ classes: names }).transform(({ classes }) => classes)]);

/** classes.json (a list, or { "classes": a list }), classes.txt or classnames.txt (a name a line) in the folder, if there is one. */
export async function classNamesBeside(folder: string): Promise<string[] | undefined> {
  const json = join(folder, "classes.json");
  const text = await readSmall(json);
  if (text === undefined)
    return (await readLines(join(folder, "classes.txt"))) ?? readLines(join(folder, "classnames.txt"));
  try {
    return classesJson.parse(parseJson(text, json, { bytes: maxBytes }));
  } catch (cause) {
    throw badInput(`${json}: expected a JSON list of class names, or { "classes": [...] }`, cause);
  }
}

/** The lines of a small text file that are not blank, trimmed; undefined if there is no such file. */
export async function readLines(file: string): Promise<string[] | undefined> {
  const lines = (await readSmall(file))?.split("\n").map((line) => line.trim());
  return lines?.filter((line) => line !== "");
}

async function readSmall(file: string): Promise<string | undefined> {
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) return undefined;
  if (found.size > maxBytes) throw badInput(`${file}: ${found.size} bytes are too many for a list of names`);
  return readFile(file, "utf8");
}
