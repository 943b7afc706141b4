/** The one reader of foreign JSON: bounded before `JSON.parse` sees it, so that no text costs more than its size. */
import { badInput } from "../tensor/error.ts";
import { printable, utf8 } from "../tensor/printable.ts";

export interface JsonLimits {
  readonly bytes: number;
  /** Brackets in each other. `JSON.parse` takes seconds and half a gigabyte for a few million. */
  readonly depth: number;
  /** Of any kind, lists and objects too. An empty list takes 16 times the bytes that its brackets do. */
  readonly values: number;
  /** Of all objects together. A million take four seconds and 200 MB. */
  readonly keys: number;
}

/** Settings, indices, receipts: the largest, a vocabulary, has 1 MiB and 50,000 values. */
export const jsonLimits: JsonLimits = { bytes: 2 * 2 ** 20, depth: 64, values: 200_000, keys: 100_000 };

/**
 * The value that a text stands for. Throws `bad-input`, naming `what`, when it is larger or deeper than the limits, no UTF-8, no JSON, or
 * when an object has a key twice (readers differ in which they take: one file, two meanings) or the key `__proto__`.
 */
export function parseJson(content: Uint8Array | string, what: string, limits: Partial<JsonLimits> = {}): unknown {
  const all = { ...jsonLimits, ...limits };
  const { bytes } = all;
  if (content.length > bytes)
    throw badInput(`${what} has ${content.length} bytes of JSON; at most ${bytes} are read of its kind`);
  const decoded = typeof content === "string" ? content : utf8(content);
  if (decoded === undefined) throw badInput(`${what} is not JSON: it is not UTF-8`);
  const text = decoded.replace(/^\ufeff/, "");
  checkBounds(text, what, all);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badInput(`${what} is not JSON: ${printable((error as Error).message)}`, error);
  }
}

const [quoteMark, comma, backslash] = ['"', ",", "\\"].map((char) => char.charCodeAt(0));
const opening = new Set(["[", "{"].map((char) => char.charCodeAt(0)));
const closing = new Set(["]", "}"].map((char) => char.charCodeAt(0)));
const brace = "{".charCodeAt(0);

/** One pass over the text; what is no JSON is left for `JSON.parse` to say. */
function checkBounds(text: string, what: string, { depth, values, keys }: JsonLimits): void {
  /** For each open bracket the keys so far of an object, or nothing for a list. */
  const open: (Set<string> | undefined)[] = [];
  let [count, named, keyNext] = [1, 0, false];
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === quoteMark) {
      const begin = at;
      at = stringEnd(text, begin);
      if (keyNext && ++named > keys) throw badInput(`${what} has more than ${keys} keys`);
      if (keyNext) checkKey(keyOf(text, begin, at), open.at(-1) as Set<string>, what);
      keyNext = false;
    } else if (opening.has(char)) {
      open.push(char === brace ? new Set() : undefined);
      keyNext = char === brace;
      count++;
      if (open.length > depth) throw badInput(`${what} is nested more than ${depth} deep`);
    } else if (closing.has(char)) {
      open.pop();
      keyNext = false;
    } else if (char === comma) {
      keyNext = open.at(-1) !== undefined;
      count++;
    }
    if (count > values) throw badInput(`${what} holds more than ${values} values`);
  }
}

/** Where the string that begins here has its last quote, or the text ends. */
function stringEnd(text: string, begin: number): number {
  for (let at = begin + 1; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === backslash) at++;
    else if (char === quoteMark) return at;
  }
  return text.length;
}

function keyOf(text: string, begin: number, end: number): string {
  const raw = text.slice(begin + 1, end);
  if (!raw.includes("\\")) return raw;
  try {
    return JSON.parse(`"${raw}"`);
  } catch {
    return raw; // JSON.parse of the whole will say so
  }
}

function checkKey(key: string, keys: Set<string>, what: string): void {
  if (keys.has(key)) throw badInput(`${what} has the key ${shown(key)} twice in one object`);
  if (key === "__proto__") throw badInput(`${what} has the key "__proto__", which is refused`);
  keys.add(key);
}

const shown = (key: string) => `"${printable(key.slice(0, 80))}"`;

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
