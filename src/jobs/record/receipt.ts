/**
 * A receipt measured again. It is evidence only as far as it can be recomputed: value, n, seed, sizes and names are believed, whatever else
 * follows from them must fit, and it names no file of this machine that the user has not named.
 */
import { storedTrigger } from "../../attacks/index.ts";
import { isFile, parseAs, readJson } from "../../files/files.ts";
import { isRecord } from "../../files/json.ts";
import { cleanResult } from "../../results/clean.ts";
import { headOf } from "../../results/read.ts";
import { badInput } from "../../tensor/error.ts";
import { printable } from "../../tensor/printable.ts";
import type { Trigger } from "../../triggers/trigger.ts";
import type { SourceOptions } from "../inputs/source.ts";
import { checkFigures } from "./claims.ts";
import { isWorld, type Receipt, receiptSchema } from "./receipt-schema.ts";

/** The largest receipts hold a fitted trigger, a value for every pixel of an image. */
const mostBytes = 8 * 2 ** 20;

/** Read receipt.json (or the folder that has it). Throws `bad-input` when it is none, or its figures contradict each other. */
export async function readReceipt(path: string): Promise<Receipt> {
  const file = (await isFile(path)) ? path : `${path}/receipt.json`;
  if (!(await isFile(file)))
    throw badInput(`there is no receipt ${printable(path)}; tbar clean leaves receipt.json in the folder it writes`);
  const value = await readJson(file, { bytes: mostBytes });
  if (isRecord(value) && "schema" in value) headOf(cleanResult, value, file, "a receipt is that of");
  const receipt = parseAs(receiptSchema, value, `${file} is not a receipt of tbar clean`);
  checkFigures(receipt, file);
  return receipt;
}

/** What the user names: these paths are opened, and no others. */
export type Named = Partial<
  Pick<SourceOptions, "testData" | "classesFile" | "templatesFile" | "skipBad" | "encoding">
> & {
  readonly data?: string;
};

/** Class names and templates that ship with tbar go by name, and no name of theirs is a path. */
const isBuiltIn = (text: string) => /^[a-z0-9]+$/i.test(text);

/** The images to measure on. Throws `bad-input` where the receipt names files and the user does not. */
export async function receiptSource({ inputs }: Receipt, named: Named) {
  const { validation, ...rest } = inputs.sizes;
  // with data of its own, the validation set took no image of the others
  const sizes = inputs.validationData === undefined && validation !== undefined ? { ...rest, validation } : rest;
  if (named.data !== undefined) return { ...named, data: named.data, sizes };
  const wanted = [
    ["--data", inputs.data, undefined],
    ["--test-data", inputs.testData, named.testData],
    ["--classes", inputs.classesFile, named.classesFile],
    ["--templates", inputs.templatesFile, named.templatesFile],
  ] as const;
  const { knownData } = await import("../../data/sets/prompts.ts");
  const builtIn = (text: string) =>
    isBuiltIn(text) && (text === "plain" || text === "imagenet" || Object.hasOwn(knownData, text));
  const files = wanted.flatMap(([option, text, given]) => {
    const known = text === undefined || given !== undefined;
    const ours = option === "--data" ? isWorld(text ?? "") : option !== "--test-data" && builtIn(text ?? "");
    return known || ours ? [] : [`${option} (${printable(text, 100)})`];
  });
  if (files.length > 0)
    throw badInput(
      `the receipt was measured on files, and a receipt opens none by itself; if you have them, name them with ${files.join(", ")}`,
    );
  const { data, classesFile, templatesFile, skipBad, encoding } = inputs;
  return { data, classesFile, templatesFile, skipBad, encoding, ...defined(named), sizes };
}

function defined<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** The receipt's trigger, unless the user brings one. */
export function receiptTrigger({ trigger: { kind, spec } }: Receipt): Trigger {
  return storedTrigger({ ...spec, kind }, "the receipt's trigger");
}
