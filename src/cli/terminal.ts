/** Where a command's words go and how it is stopped: the process in earnest, strings in tests. */

export interface Sink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface Terminal {
  /** The result, and nothing else. */
  readonly out: Sink;
  /** Everything meant for human eyes. */
  readonly err: Sink;
  readonly signal: AbortSignal;
}

/** What moves the cursor, colours the screen, hides or turns the direction; line breaks and tabs are our own. */
const commanding = /[^\P{C}\n\t]|[\p{Zl}\p{Zp}]/gu;

/** The text with all of that spelled out, as `printable` does. */
export function screened(text: string): string {
  return text.replace(commanding, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`);
}

/** The one gate that all words pass on their way to a screen, whoever wrote what is in them. */
export function gated(sink: Sink): Sink {
  return {
    write: (text) => sink.write(screened(text)),
    get isTTY() {
      return sink.isTTY;
    },
    get columns() {
      return sink.columns;
    },
  };
}

/** One JSON document: what a screen would obey is escaped as JSON escapes it. */
export function jsonText(value: object): string {
  const units = (char: string) =>
    Array.from({ length: char.length }, (_, i) => char.charCodeAt(i).toString(16).padStart(4, "0"));
  const text = JSON.stringify(value, null, 2).replace(commanding, (char) => units(char).map((hex) => `\\u${hex}`).join("")); // biome-ignore format: one line
  return `${text}\n`;
}
