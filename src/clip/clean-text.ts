/** What OpenAI's tokenizer does to a text before it is split: ftfy's repairs, HTML entities, white space. As ftfy 6.3 (Apache-2.0) does it, mojibake included. */
import { decodeHTML, decodeHTMLStrict } from "entities";
import { fixEncoding, looksBroken, windows1252 } from "./mojibake.ts";

/** The text as OpenAI's `basic_clean` and `whitespace_clean` leave it. Lower case is the tokenizer's to make. */
export function cleanText(text: string): string {
  const unescaped = decodeHTML(decodeHTML(fixText(text)));
  return unescaped.replace(/\s+/g, " ").trim();
}

/** Whether a text looks as if it had once been read in the wrong encoding, and still does so when it is cleaned: the model reads it as it is. */
export const staysBroken = (text: string): boolean => looksBroken(text) && looksBroken(cleanText(text));

/** Line by line. From the first line with a `<` on entities stay: the text may be HTML on purpose. */
function fixText(text: string): string {
  let isPlain = true;
  return text.replace(/[^\n]*\n|[^\n]+$/g, (line) => {
    isPlain &&= !line.includes("<");
    return fixLine(line, isPlain);
  });
}

/** Until nothing changes: entities may hide entities, and mojibake too. */
function fixLine(line: string, isPlain: boolean): string {
  if (isPlain) line = line.replace(nestedAmpersands, "&amp;"); // at once: a layer a turn takes seconds for some kilobytes
  for (let before = line; ; before = line) {
    line = repair(isPlain ? before.replace(/&#?[0-9a-z]{1,24};/gi, entity) : before);
    if (line === before) return line;
  }
}

const nestedAmpersands = /&(?:(?:amp|#0{0,9}38|#x0{0,9}26);){2,}/gi;

/** ftfy's fixes, in its order. */
function repair(text: string): string {
  return fixEncoding(text)
    .replace(/[\u0080-\u009f]/g, windows1252)
    .replace(ligatures, (c) => (c === "\ufb05" ? "\u017ft" : c.normalize("NFKC")))
    .replace(/[\u3000\uff01-\uffef]/g, (c) => c.normalize("NFKC")) // full and half width
    .replace(/[\u02bc\u2018-\u201b]/g, "'")
    .replace(/[\u201c-\u201f]/g, '"')
    .replace(/\r\n?|[\u2028\u2029]/g, "\n")
    .replace(/\p{Surrogate}/gu, "\ufffd")
    .replace(terminalEscapes, "")
    .replace(controls, "")
    .normalize("NFC");
}

/** Dutch, Afrikaans and Serbian digraphs, and the typographical ligatures. */
const ligatures = /[\u0132\u0133\u0149\u01c4-\u01cc\u01f1-\u01f3\ufb00-\ufb06]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const terminalEscapes = /\u001b\[[\d;]*[a-z]/gi;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controls = /[\u0000-\u0008\u000b\u000e-\u001f\u007f\u206a-\u206f\ufeff\ufff9-\ufffc]/g;

/** `&eacute;`, and `&EACUTE;`, which HTML does not know, as the capital. */
function entity(text: string): string {
  const decoded = decodeHTMLStrict(text);
  if (decoded !== text || text !== text.toUpperCase()) return decoded;
  const lower = text.toLowerCase();
  const small = decodeHTMLStrict(lower);
  return small === lower ? text : small.toUpperCase();
}
