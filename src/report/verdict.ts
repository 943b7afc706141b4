/** What came out, before anything else: proven or not, and the four figures that decide it. */
import type { Rate } from "../engine/rate.ts";
import type { CleanResult } from "../experiments/result.ts";
import { type Content, type Html, html } from "./html.ts";
import { alphaText, count, interval, percent } from "./numbers.ts";
import { accuracyName, plainText } from "./page.ts";

export function verdict(result: CleanResult): Html {
  const { proven, headline, reasons } = result.verdict;
  return html`<section class="verdict ${proven ? "proven" : "unproven"}" aria-label="Verdict">
<p class="stamp">${proven ? "Proven" : "Not proven"}</p>
<h1>${headline}</h1>
${reasons.length > 0 && html`<ul>${reasons.map((reason) => html`<li>${reason}</li>`)}</ul>`}
</section>
${keyFigures(result)}`;
}

function keyFigures({ before, after, retention, alpha, method, data, variants }: CleanResult): Html {
  const settings = Object.entries(variants[method]?.settings ?? {});
  const setting = settings.map(([name, value]) => ` · ${name}\u00a0${plainText(value)}`);
  return html`<div class="figures">
${change("asr", "Attack success rate", before.asr, after.asr)}
${change("ca", accuracyName(data.labels), before.ca, after.ca)}
${figure("", data.labels === "given" ? "Clean accuracy kept" : "Agreement kept", percent(retention), ["CA after ÷ CA before, on the same ", count(after.ca.n), " images"])}
${figure("", "Alpha", alphaText(alpha), [method, setting, html`<br>`, `chosen on ${count(data.validation)} validation images`])}
</div>
`;
}

function change(kind: string, name: string, before: Rate, after: Rate): Html {
  const value = html`<span class="from">${percent(before.value)}<span class="arrow"> → </span></span>${percent(after.value)}`;
  return figure(kind, name, value, [
    html`${interval(before)} → ${interval(after)}<br>`,
    `95\u202f% interval, n = ${count(after.n)}`,
  ]);
}

function figure(kind: string, name: string, value: Content, note: Content): Html {
  return html`<div class="figure ${kind}"><h3>${name}</h3><p class="value">${value}</p><p class="note">${note}</p></div>`;
}
