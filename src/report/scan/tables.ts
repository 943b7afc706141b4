/** What was found, line by line: findings, suspected targets, detectors. */
import type { ScanResult } from "../../results/scan.ts";
import type { Rate } from "../../stats/rate.ts";
import { type Html, html } from "../html.ts";
import { alphaText, duration, percent, percentWithInterval } from "../numbers.ts";
import { axis, section } from "../page.ts";
import { strip } from "../strip.ts";

/** Of weights and file together, as SARIF has them. */
export function findings({ findings = [] }: ScanResult): Html | undefined {
  if (findings.length === 0) return undefined;
  return section(
    "Findings",
    "Of the weights and of the file that they lie in. An error fails the scan, unless --baseline accepts it by its fingerprint.",
    html`<table class="card">
<thead><tr><th scope="col">Rule</th><th scope="col">Level</th><th scope="col">What</th></tr></thead>
<tbody>
${findings.map(
  ({ rule, level, message, fingerprint, accepted }) => html`<tr><th scope="row">${rule}</th>
<td data-label="Level"><span class="tag ${level === "error" && accepted === undefined && "missed"}">${accepted === undefined ? level : "accepted"}</span></td>
<td data-label="What" class="wide">${message}${accepted !== undefined && html`<small>accepted: ${accepted}</small>`}<small><code>${fingerprint}</code></small></td></tr>
`,
)}</tbody>
</table>`,
  );
}

/** The verdict's suspects; without a verdict those of the detectors stand in their own table alone. */
export function suspects({ suspects }: ScanResult): Html | undefined {
  if (suspects.length === 0) return undefined;
  return section(
    "Suspected targets",
    "Classes that a recovered trigger leads to. The rate is of held-out images of other classes.",
    html`<table class="card measures">
<thead><tr><th scope="col">Target</th><th scope="col" class="number">Probability</th><th scope="col">Detector</th><th scope="col">Carried there</th><th scope="col" class="drawn">${axis(0, 1)}</th></tr></thead>
<tbody>
${suspects.map(
  ({ target, probability, detector, asr }) => html`<tr><th scope="row"><b>${target}</b></th>
<td class="number" data-label="Probability">${percent(probability)}</td>
<td data-label="Detector">${detector}</td>
${rateCells(asr)}</tr>
`,
)}</tbody>
</table>`,
  );
}

export function detectors({ detectors }: ScanResult): Html | undefined {
  if (detectors.length === 0) return undefined;
  return section(
    "Detectors",
    "What each of them measured: the larger its statistic, the more suspicious. Fits have a fixed, small budget, in which a clean model hardly gives way.",
    html`<table class="card measures">
<thead><tr><th scope="col">Detector</th><th scope="col" class="number">Statistic</th><th scope="col" class="number">Threshold</th><th scope="col">Leads to</th><th scope="col">Carried there</th><th scope="col" class="drawn">${axis(0, 1)}</th><th scope="col" class="number">Time</th></tr></thead>
<tbody>
${detectors.map(
  ({
    title,
    means,
    statistic,
    threshold,
    suspects: [first],
    seconds,
  }) => html`<tr><th scope="row"><b>${title}</b><small>${means}</small></th>
<td class="number" data-label="Statistic">${alphaText(statistic)}</td>
<td class="number" data-label="Threshold">${threshold === undefined ? html`<span class="faint">–</span>` : alphaText(threshold)}</td>
<td data-label="Leads to">${first?.target ?? html`<span class="faint">–</span>`}</td>
${rateCells(first?.asr)}<td class="number" data-label="Time">${duration(seconds)}</td></tr>
`,
)}</tbody>
</table>`,
  );
}

function rateCells(rate: Rate | undefined): Html {
  if (rate === undefined) return html`<td data-label="Carried there" class="faint">–</td><td class="drawn"></td>\n`;
  return html`<td data-label="Carried there">${percentWithInterval(rate)}</td><td class="drawn">${strip(rate, { kind: "asr", to: 1 })}</td>\n`;
}
