/** Class names and prompt templates, by the name or file that the user typed. */
import { type Encoding, readText } from "../../data/formats/text.ts";
import { type ClassList, codeIn, plainLines } from "../../data/sets/class-names.ts";
import { badInput } from "../../tensor/error.ts";

const plain = ["a photo of a {}.", "a picture of a {}.", "an image of a {}."];

/** `imagenet`, or a file with one class name a line. */
export async function classesOf(given: string, encoding?: Encoding): Promise<ClassList> {
  if (given !== "imagenet") return { names: await lines(given, "class name", encoding), file: given };
  return { names: (await import("../../data/sets/imagenet-names.ts")).imagenetNames, file: given };
}

/** What stands for the class name in the templates of CLIP, CLIP_benchmark, and those written for Python's `format`. */
const place = /\{(c|class|class_?name|label|name|0)?\}/g;

/** `plain`, the name of a data set in data/sets/prompts.ts, or a file with one template a line. */
export async function templatesOf(given: string, encoding?: Encoding): Promise<readonly string[]> {
  if (given === "plain") return plain;
  const { knownData } = await import("../../data/sets/prompts.ts");
  if (Object.hasOwn(knownData, given)) return knownData[given].templates;
  const templates = (await lines(given, "template", encoding)).map((line) => line.replace(place, "{}"));
  const bad = templates.find((template) => !template.includes("{}"));
  if (bad !== undefined) throw badInput(`${given}: the template "${bad.slice(0, 200)}" has no {} for the class name`);
  return templates;
}

/** Those of a data set that its class names tell, or plain ones. */
export async function usualTemplates(classNames: readonly string[] = []): Promise<readonly string[]> {
  const { knownData, recognize } = await import("../../data/sets/prompts.ts");
  const known = recognize(classNames);
  return known === undefined ? plain : knownData[known].templates;
}

async function lines(path: string, what: string, encoding?: Encoding): Promise<string[]> {
  const text = await readText(path, { encoding, limit: 2 ** 24 }).catch((cause) => {
    throw badInput(`${cause.message}; ${path} should be a file with one ${what} a line`, cause);
  });
  const names = plainLines(text);
  if (names.length === 0) throw badInput(`${path} is empty; expected one ${what} a line`);
  const code = codeIn(names);
  if (code !== undefined) throw badInput(`${path} ${code}; expected one ${what} a line`);
  return names;
}
