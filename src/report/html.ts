/** HTML as a value. What goes into a template is escaped, unless it came out of one. */
/** A class, not a shape: an object read from a file can never pass for one. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** `false` and `undefined` leave nothing behind, lists are joined. */
export type Content = Html | string | number | false | undefined | readonly Content[];

/** html`<p title="${any}">${any}</p>`: attribute values must stand in double quotes. */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(parts.reduce((text, part, i) => text + render(values[i - 1]) + part));
}

function render(content: Content): string {
  if (content instanceof Html) return content.text;
  if (Array.isArray(content)) return content.map(render).join("");
  return content === false || content === undefined ? "" : escapeHtml(String(content));
}

/** Text for an element or a quoted attribute. Control characters and those that turn the writing direction become U+FFFD. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`).replace(unseen, "\uFFFD");
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must go
const unseen = /[\0-\x08\x0B\x0C\x0E-\x1F\x7F-\x9F\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;

/** A value as JSON inside `<script type="application/json">`, which no text of it can close. A style sheet can show it. */
export function jsonScript(id: string, value: unknown): Html {
  const json = JSON.stringify(value, null, 1)
    .replace(/\[\n\s+([-\d.e+]+),\n\s+([-\d.e+]+)\n\s+\]/g, "[$1, $2]") // intervals on one line
    .replace(/</g, "\\u003c")
    .replace(unseen, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return html`<script type="application/json" id="${id}">${new Html(json)}</script>`;
}
