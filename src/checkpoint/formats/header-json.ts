/**
 * A reader for just the JSON that a safetensors header may be: names to {dtype, shape, data_offsets}, and string metadata.
 * Not `JSON.parse`, which takes the last of two equal keys in silence (another reader takes the first: one file, two models)
 * and spends gigabytes on a hostile 100 MB of brackets before anything can be checked.
 */
import { printable } from "../../tensor/printable.ts";

export interface HeaderJson {
  readonly metadata: Map<string, string>;
  readonly tensors: Map<string, EntryJson>;
}

export interface EntryJson {
  dtype?: string;
  shape?: number[];
  data_offsets?: number[];
}

const MAX_TENSORS = 20_000;
/** Far above the few that anybody writes; each takes a hundred bytes of memory, and six of the file. */
const MAX_METADATA = 10_000;
const MAX_RANK = 64;

/** Read the text; `fail` is called with the reason, and must throw, where it is anything else. */
export function parseHeaderJson(text: string, fail: (reason: string) => never): HeaderJson {
  let at = 0;

  const peek = (): string | undefined => {
    while (text[at] === " " || text[at] === "\n" || text[at] === "\r" || text[at] === "\t") at++;
    return text[at];
  };
  const expected = (what: string): never =>
    fail(`at character ${at} of its header there should be ${what}, not ${JSON.stringify(text.slice(at, at + 12))}`);
  const eat = (char: string): void => {
    if (peek() !== char) expected(char);
    at++;
  };
  const string = (): string => {
    const begin = at;
    eat('"');
    let end = text.indexOf('"', at);
    while (end > 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
    if (end < 0) fail("a string in its header does not end");
    at = end + 1;
    try {
      return JSON.parse(text.slice(begin, at)) as string;
    } catch {
      return fail(`a string at character ${begin} of its header is not JSON`);
    }
  };
  /** Calls `item` for each of a list between brackets. */
  const list = (open: string, close: string, item: () => void): void => {
    eat(open);
    let more = peek() !== close;
    while (more) {
      item();
      more = peek() === ",";
      if (more) at++;
    }
    eat(close);
  };
  const object = (value: (key: string) => void): void => {
    const keys = new Set<string>();
    list("{", "}", () => {
      const key = string();
      if (keys.has(key)) fail(`its header has ${quote(key)} twice`);
      keys.add(key);
      eat(":");
      value(key);
    });
  };
  const sizes = (): number[] => {
    const found: number[] = [];
    list("[", "]", () => {
      peek();
      const digits = /^(0|[1-9]\d{0,15})(?=[\s,\]])/.exec(text.slice(at, at + 17));
      const size = Number(digits?.[0] ?? Number.NaN);
      if (!Number.isSafeInteger(size)) expected("a non-negative integer below 2^53");
      at += digits![0].length;
      if (found.push(size) > MAX_RANK) fail(`at character ${at} of its header there are more than ${MAX_RANK} sizes`);
    });
    return found;
  };

  const metadata = new Map<string, string>();
  const tensors = new Map<string, EntryJson>();
  object((name) => {
    if (name === "__metadata__") {
      object((key) => {
        metadata.set(key, string());
        if (metadata.size > MAX_METADATA) fail(`it has more than ${MAX_METADATA} entries of metadata`);
      });
      return;
    }
    const entry: EntryJson = {};
    tensors.set(name, entry);
    if (tensors.size > MAX_TENSORS) fail(`it has more than ${MAX_TENSORS} tensors`);
    object((field) => {
      if (field === "dtype") entry.dtype = string();
      else if (field === "shape" || field === "data_offsets") entry[field] = sizes();
      else fail(`tensor ${quote(name)} has the unknown field ${quote(field)}`);
    });
  });
  peek();
  if (at < text.length) expected("its end");
  return { metadata, tensors };
}

/** A quote is escaped by an odd number of backslashes. */
function isEscaped(text: string, at: number): boolean {
  let before = at;
  while (text[before - 1] === "\\") before--;
  return (at - before) % 2 === 1;
}

/** A name from a file, fit for a message: quoted, escaped, cut to 80 characters. */
export function quote(name: string): string {
  return printable(JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}...` : name), 600);
}
