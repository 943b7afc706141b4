/** Text from strangers (names in files, answers of hubs): read strictly, and made fit for a screen. */

/** The text that bytes are in UTF-8, a byte order mark kept; undefined where they are none. */
export function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Control characters (C0, C1), direction and other invisible marks, lone surrogates, line and paragraph separators. */
const unprintable = /[\p{C}\p{Zl}\p{Zp}]/u;

/**
 * The text on one line, what would move the cursor, colour the screen or turn the direction spelled out as `\u{1b}`, cut to about
 * `most` characters. Takes no more time than that, however long the text is.
 */
export function printable(text: string, most = 200): string {
  let shown = "";
  for (const char of text) {
    const next = unprintable.test(char) ? `\\u{${char.codePointAt(0)?.toString(16)}}` : char;
    if (shown.length + next.length > most) return `${shown}... (${text.length} characters)`;
    shown += next;
  }
  return shown;
}

/** The first few of a list, for a message: `a, b, ...`. */
export const listed = (names: readonly string[], most: number): string =>
  `${names.slice(0, most).join(", ")}${names.length > most ? ", ..." : ""}`;
