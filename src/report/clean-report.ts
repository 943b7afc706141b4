/** A cleaning as one HTML file: no scripts, nothing fetched, light and dark, fit to print. */
import { tbar } from "../defenses/tbar.ts";
import type { CleanResult } from "../results/clean.ts";
import { beforeAndAfter } from "./checks.ts";
import { examples, trigger } from "./examples.ts";
import { Html, html } from "./html.ts";
import { moment } from "./numbers.ts";
import { fileName } from "./page.ts";
import { definitions, opened, run } from "./run.ts";
import { style } from "./style.ts";
import { variantCurves, variantTable } from "./variants.ts";
import { verdict } from "./verdict.ts";
import { paperLink } from "./words.ts";

/** The whole page. The same result gives the same bytes; text of the result is escaped wherever it stands. */
export function cleanReport(result: CleanResult): string {
  const name = fileName(result.model.path);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${name}: ${result.verdict.verified ? "verified" : "not verified"} – tbar</title>
<style>${new Html(style)}</style>
</head>
<body>
<header><span class="mark">tbar</span> <span>${name}</span> <time>${moment(result.created)}</time></header>
<main>
${verdict(result)}${trigger(result)}${examples(result)}${variantCurves(result)}${variantTable(result)}${beforeAndAfter(result)}${opened(result)}${definitions(result)}${run(result)}</main>
<footer>Made by tbar ${result.tbar}. The method: ${tbar.title}, ${tbar.paper && paperLink(tbar.paper)}.</footer>
</body>
</html>
`.text;
}
