/** The page that every report is: no scripts, nothing fetched, light and dark, fit to print. */
import { type Content, Html, html } from "./html.ts";
import { moment } from "./numbers.ts";
import { style } from "./style.ts";

export interface Document {
  /** Of the model. */
  readonly name: string;
  /** What came out, for the title. */
  readonly answer: string;
  /** ISO 8601. */
  readonly created: string;
  readonly body: Content;
  readonly footer: Content;
  /** Rules beside those of all reports. */
  readonly styles?: string;
}

/** The same parts give the same bytes; text is escaped wherever it stands. */
export function documentOf({ name, answer, created, body, footer, styles = "" }: Document): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${name}: ${answer} – tbar</title>
<style>${new Html(style + styles)}</style>
</head>
<body>
<header><span class="mark">tbar</span> <span>${name}</span> <time>${moment(created)}</time></header>
<main>
${body}</main>
<footer>${footer}</footer>
</body>
</html>
`.text;
}
