/** UTF-8 that somebody read as another encoding (`schÃ¶n`), mended as ftfy 6.3's `fix_encoding` does it (Apache-2.0), and so as OpenAI's tokenizer does. */
import { utf8 } from "../tensor/printable.ts";
import { badness, embedded, encodings } from "./mojibake-patterns.ts";

/** Whether characters stand beside each other that hardly do so in any text that was meant. */
export const looksBroken = (text: string): boolean => beyondAscii.test(text) && badness.test(text);

const beyondAscii = /[\u0080-\uffff]/; // most texts are not, and this is 20 times faster

/** The text, mended as often as that changes it. */
export function fixEncoding(text: string): string {
  for (let before = text; ; before = text) {
    text = oneStep(before);
    if (text === before) return text;
  }
}

/** Bytes of 8 bits as a string's characters. */
type Bytes = string;

interface Charmap {
  readonly name: string;
  /** Undefined for a character that the encoding has not. */
  encode(text: string): Bytes | undefined;
}

/** Latin-1, then the others. Windows' "sloppy" ones have a byte for U+FFFD, 0x1a: a character that was lost. */
const charmaps: readonly Charmap[] = [
  { name: "latin-1", encode: (text) => (/^[\0-\xff]*$/.test(text) ? text : undefined) },
  ...Object.entries(encodings).map(([name, table]) => charmap(name, table)),
];

function charmap(name: string, table: string): Charmap {
  const codes = new Map([...table].map((char, i) => [char, String.fromCharCode(0x80 + i)]));
  for (let code = 0; code < 0x80; code++) codes.set(String.fromCharCode(code), String.fromCharCode(code));
  if (name.startsWith("sloppy")) {
    codes.delete("\x1a");
    codes.set("\ufffd", "\x1a");
  }
  return {
    name,
    encode(text) {
      let bytes = "";
      for (const char of text) {
        const byte = codes.get(char);
        if (byte === undefined) return undefined;
        bytes += byte;
      }
      return bytes;
    },
  };
}

function oneStep(text: string): string {
  if (!looksBroken(text)) return text;
  for (const { name, encode } of charmaps) {
    let bytes = encode(text);
    if (bytes === undefined) continue;
    if (name !== "macroman") bytes = restoreNoBreakSpaces(bytes); // in which it would be a dash and a space
    if (name.startsWith("sloppy")) bytes = bytes.replace(lossy, "\xef\xbf\xbd");
    const fixed = decodeUtf8(bytes);
    if (fixed !== undefined) return fixed;
  }
  const mended = text.replace(embedded, (part) =>
    part.length < text.length && looksBroken(part) ? fixEncoding(part) : part,
  );
  if (mended !== text) return mended;
  return text.replace(/[\x80-\x9f]/g, windows1252); // Latin-1 that was meant to be Windows-1252
}

/** A control character of Latin-1 as the character of Windows-1252 that was meant. */
export function windows1252(control: string): string {
  return encodings["sloppy-windows-1252"][control.charCodeAt(0) - 0x80];
}

// biome-ignore-start lint/suspicious/noControlCharactersInRegex: bytes
/** UTF-8 but for a byte 0xa0 that somebody took for a space and made one. */
const altered =
  /[\xc2\xc3\xc5\xce\xd0\xd9] |[\xe2\xe3] [\x80-\x84\x86-\x9f\xa1-\xbf]|[\xe0-\xe3][\x80-\x84\x86-\x9f\xa1-\xbf] |\xf0 [\x80-\xbf]{2}|\xf0[\x80-\xbf] [\x80-\xbf]|\xf0[\x80-\xbf]{2} /g;

/** "à" as a word of its own: the space behind it was there too; but for Portuguese words that begin with it. */
const aGraveWord = /\xc3 (?! |quele|quela|quilo|s )/g;

function restoreNoBreakSpaces(bytes: Bytes): Bytes {
  if (bytes.search(altered) < 0) return bytes;
  return bytes.replace(aGraveWord, "\xc3\xa0 ").replace(altered, (part) => part.replaceAll(" ", "\xa0"));
}

/** UTF-8 and CESU-8 of which bytes were lost: 0x1a stands for one, `?` for one at most. */
const lossy =
  /[\xc2-\xdf]\x1a|[\xc2\xc3]\?|\xed[\xa0-\xaf][\x1a?]\xed[\xb0-\xbf][\x1a?\x80-\xbf]|\xed[\xa0-\xaf][\x1a?\x80-\xbf]\xed[\xb0-\xbf][\x1a?]|[\xe0-\xef][\x1a?][\x1a\x80-\xbf]|[\xe0-\xef][\x1a\x80-\xbf][\x1a?]|[\xf0-\xf4][\x1a?][\x1a\x80-\xbf]{2}|[\xf0-\xf4][\x1a\x80-\xbf][\x1a?][\x1a\x80-\xbf]|[\xf0-\xf4][\x1a\x80-\xbf]{2}[\x1a?]|\x1a/g;
// biome-ignore-end lint/suspicious/noControlCharactersInRegex: bytes

const surrogates = /\xed([\xa0-\xaf])([\x80-\xbf])\xed([\xb0-\xbf])([\x80-\xbf])/g;

/** Strictly; surrogates in pairs (CESU-8) and Java's zero byte are read too. Undefined where it is no UTF-8. */
function decodeUtf8(bytes: Bytes): string | undefined {
  const plain = bytes
    .replace(surrogates, (...found) => {
      const [a, b, c, d] = found.slice(1, 5).map((char: string) => char.charCodeAt(0) & 0x3f);
      const code = 0x10000 + (((a & 0x0f) << 16) | (b << 10) | ((c & 0x0f) << 6) | d);
      return Buffer.from(String.fromCodePoint(code)).toString("latin1");
    })
    .replaceAll("\xc0\x80", "\0");
  return utf8(Buffer.from(plain, "latin1"));
}
