/**
 * What OpenAI's tokenizer does to a text before it is split: ftfy's repairs, HTML entities, white space. Of ftfy 6.3 (Apache-2.0)
 * all that concerns well-formed Unicode; mojibake (UTF-8 once read as another encoding, as in `schÃ¶n`) is left as it is.
 */
import { decodeHTML, decodeHTMLStrict } from "entities";

/** The text as OpenAI's `basic_clean` and `whitespace_clean` leave it, mojibake aside. Lower case is the tokenizer's to make. */
export function cleanText(text: string): string {
  const unescaped = decodeHTML(decodeHTML(repair(text)));
  return unescaped.replace(/\s+/g, " ").trim();
}

/** ftfy's fixes, in its order. */
function repair(text: string): string {
  return unescapeLines(text)
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

/** Entities decoded up to the first line with a `<`: from there on the text may be HTML on purpose. */
function unescapeLines(text: string): string {
  const tag = text.indexOf("<");
  const end = tag < 0 ? text.length : text.lastIndexOf("\n", tag) + 1;
  return text.slice(0, end).replace(/&#?[0-9a-z]{1,24};/gi, entity) + text.slice(end);
}

/** `&eacute;`, and `&EACUTE;`, which HTML does not know, as the capital. */
function entity(text: string): string {
  const decoded = decodeHTMLStrict(text);
  if (decoded !== text || text !== text.toUpperCase()) return decoded;
  const lower = text.toLowerCase();
  const small = decodeHTMLStrict(lower);
  return small === lower ? text : small.toUpperCase();
}

/** What HTML makes of `&#133;`, written by those who meant Windows-1252. */
const windows1252 = (control: string) => decodeHTML(`&#${control.charCodeAt(0)};`);
