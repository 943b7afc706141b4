/** Text files to strings. A byte that is no UTF-8 is refused by its line, never replaced: U+FFFD in a class name is another class. */
import { readSmallFile } from "../../files/files.ts";
import { badInput } from "../../tensor/error.ts";
import { utf8 } from "../../tensor/printable.ts";

/** What a text may be said to be written in. Without a word it is UTF-8, or UTF-16 where its byte order mark says so. */
export const encodings = ["utf-8", "latin1", "windows-1252", "utf-16le", "utf-16be"] as const;
export type Encoding = (typeof encodings)[number];

/** Longer lines are no text that anybody reads. */
const maxLine = 2 ** 21;

/** The text without its byte order mark, which outweighs `encoding`. Throws TbarError naming the first line that does not decode, or has a zero byte. */
export function decodeText(bytes: Uint8Array, what: string, encoding?: Encoding): string {
  const { skip, encoding: used } = markOf(bytes, encoding);
  return decoderOf(used, what).end(Buffer.from(bytes.buffer, bytes.byteOffset + skip, bytes.length - skip));
}

/** The same of a file of at most `limit` bytes. */
export async function readText(file: string, { encoding, limit }: { encoding?: Encoding; limit?: number } = {}) {
  return decodeText(await readSmallFile(file, limit), file, encoding);
}

/** The same in parts as they come, for tables of any length. */
export async function* textParts(
  chunks: AsyncIterable<Uint8Array>,
  what: string,
  encoding?: Encoding,
): AsyncGenerator<string> {
  let decoder: Decoder | undefined;
  let last: Buffer = Buffer.alloc(0);
  let unended = 0;
  for await (const chunk of chunks) {
    if (decoder !== undefined) {
      const part = decoder.part(last);
      const end = part.lastIndexOf("\n") + 1;
      unended = (end === 0 ? unended : 0) + part.length - end;
      if (unended > maxLine) throw badInput(`${what} has a line of more than ${maxLine} characters: it is no text`);
      yield part;
    }
    last = decoder === undefined ? Buffer.concat([last, chunk]) : Buffer.from(chunk);
    if (decoder === undefined && last.length >= 4) {
      const { skip, encoding: used } = markOf(last, encoding);
      decoder = decoderOf(used, what);
      last = last.subarray(skip);
    }
  }
  yield decoder === undefined ? decodeText(last, what, encoding) : decoder.end(last);
}

/** The lines of a text that comes in parts. */
export async function* linesOf(parts: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = "";
  for await (const part of parts) {
    const lines = (rest + part).split(/\r?\n/);
    rest = lines.pop()!;
    yield* lines;
  }
  yield rest;
}

function markOf(bytes: Uint8Array, encoding: Encoding = "utf-8"): { skip: number; encoding: Encoding } {
  const [a, b, c] = bytes;
  if (a === 0xef && b === 0xbb && c === 0xbf) return { skip: 3, encoding: "utf-8" };
  if (a === 0xff && b === 0xfe) return { skip: 2, encoding: "utf-16le" };
  if (a === 0xfe && b === 0xff) return { skip: 2, encoding: "utf-16be" };
  return { skip: 0, encoding };
}

/** The bytes 128 to 159 of Windows-1252; five stand for nothing and stay controls, as browsers read them. */
const windows1252 =
  "\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178";

interface Decoder {
  part(bytes: Buffer): string;
  /** The last part: what is unfinished now stays so. */
  end(bytes: Buffer): string;
}

function decoderOf(encoding: Encoding, what: string): Decoder {
  if (encoding === "latin1" || encoding === "windows-1252") {
    // TextDecoder takes the one for the other, and Node 20's the other for the one
    const decode = (bytes: Buffer) => {
      const text = bytes.toString("latin1");
      return encoding === "latin1" ? text : text.replace(/[\x80-\x9f]/g, (c) => windows1252[c.charCodeAt(0) - 0x80]);
    };
    return { part: decode, end: decode };
  }
  if (encoding === "utf-8") return utf8Decoder(what);
  const decoder = new TextDecoder(encoding, { fatal: true });
  let line = 1;
  const decode = (bytes: Buffer, stream: boolean) => {
    try {
      const text = decoder.decode(bytes, { stream });
      if (text.includes("\0")) throw new Error("a zero character"); // as UTF-32 taken for UTF-16 has
      line += text.split("\n").length - 1;
      return text;
    } catch (cause) {
      throw badInput(`${what} is no ${encoding}: it does not decode at line ${line} or after it`, cause);
    }
  };
  return { part: (bytes) => decode(bytes, true), end: (bytes) => decode(bytes, false) };
}

/** Whole lines at a time, so that a line that is none can be named. */
function utf8Decoder(what: string): Decoder {
  let rest: Buffer = Buffer.alloc(0);
  let line = 1;
  const lines = (bytes: Buffer) => {
    const text = utf8(bytes);
    if (text === undefined) throw badInput(foreignLine(bytes, line, what));
    const nul = text.indexOf("\0");
    if (nul >= 0) {
      const at = line + text.slice(0, nul).split("\n").length - 1;
      throw badInput(`${what} has a zero byte in line ${at}: it is no text, or UTF-16 (--encoding utf-16le)`);
    }
    line += text.split("\n").length - 1;
    return text;
  };
  return {
    part(bytes) {
      const whole = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      const end = whole.lastIndexOf(0x0a) + 1;
      rest = Buffer.from(whole.subarray(end));
      if (rest.length > maxLine) throw badInput(`${what} has a line of more than ${maxLine} bytes: it is no text`);
      return lines(whole.subarray(0, end));
    },
    end: (bytes) => lines(rest.length === 0 ? bytes : Buffer.concat([rest, bytes])),
  };
}

/** What to say of the first line of these bytes that is no UTF-8. */
function foreignLine(bytes: Buffer, first: number, what: string): string {
  let [line, from] = [first, 0];
  for (;;) {
    const next = bytes.indexOf(0x0a, from);
    const found = bytes.subarray(from, next < 0 ? bytes.length : next);
    if (utf8(found) === undefined) {
      const latin1 = found.toString("latin1").replace(/[^\x20-\x7e\xa0-\xff]/g, "?");
      const shown = JSON.stringify(latin1.slice(0, 80));
      return `${what}: line ${line} is no UTF-8; say what it is with --encoding windows-1252 (it would read ${shown}), latin1 or utf-16le, or convert it`;
    }
    if (next < 0) return `${what} is no UTF-8`;
    [line, from] = [line + 1, next + 1];
  }
}
