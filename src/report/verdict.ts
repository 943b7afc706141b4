/** What came out, before anything else: verified or not, what that means and does not mean, and the figures that decide it. */
import type { CleanResult } from "../results/clean.ts";
import type { Rate } from "../stats/rate.ts";
import { type Content, type Html, html } from "./html.ts";
import { limitsOf } from "./limits.ts";
import { alphaText, count, interval, percent, round } from "./numbers.ts";
import { accuracyName, plainText } from "./page.ts";
import { capital, knobOf } from "./words.ts";

export function verdict(result: CleanResult): Html {
  const { verified, headline, reasons } = result.verdict;
  return html`<section class="verdict ${verified ? "verified" : "unverified"}" aria-label="Verdict">
<p class="stamp">${verified ? "Verified" : "Not verified"}</p>
<h1>${headline}</h1>
${reasons.length > 0 && html`<ul>${reasons.map((reason) => html`<li>${reason}</li>`)}</ul>`}
${scope(result)}</section>
${keyFigures(result)}`;
}

/** What was asked for, and of what the answer holds. */
function scope({ target, trigger, data, verdict, after, rounds, warnings = [], remaining = [] }: CleanResult): Html {
  const { asr, retention, triggered } = limitsOf(verdict);
  const { triggeredAccuracy: right, ca } = after;
  const traces = right !== undefined && data.labels === "given" && right.interval[1] < ca.interval[0];
  return html`<dl class="scope">
<div><dt>Asked for</dt><dd>by 95 % bounds on test images, an attack success rate of at most <b>${round(asr)}</b> and at least <b>${round(retention)}</b> of clean accuracy kept${triggered !== undefined && html`, and triggered images right at least <b>${round(triggered)}</b> as often as clean ones`}</dd></div>
<div><dt>Holds for</dt><dd>${rounds === undefined ? html`this trigger (${trigger.kind}, to <b>${target}</b>) and this data (${data.name}); other triggers were not looked for` : html`triggers that were recovered (to <b>${target}</b>) and this data (${data.name}); the attack's own trigger need not look like them`}</dd></div>
${warnings.map((what) => html`<div class="missed"><dt>Doubtful</dt><dd>${what}</dd></div>\n`)}${traces && html`<div class="missed"><dt>Besides</dt><dd>with the trigger ${percent(right.value)} of the answers are right, without it ${percent(ca.value)}: the trigger still changes answers</dd></div>\n`}${remaining.map(({ kind, target }) => html`<div class="missed"><dt>Still in it</dt><dd>the checkpoint declares ${rounds === undefined ? "another trigger" : "a trigger"}, ${kind} to <b>${target}</b>: this cleaning did not take it out</dd></div>\n`)}</dl>
`;
}

function keyFigures(result: CleanResult): Html {
  const { before, after, retention, retentionInterval, alpha, method, data, variants, verdict } = result;
  const limits = limitsOf(verdict);
  const settings = Object.entries(variants[method]?.settings ?? {});
  const setting = settings.map(([name, value]) => ` · ${name}\u00a0${plainText(value)}`);
  const [lower, upper] = retentionInterval ?? [retention, retention];
  const bounds = retentionInterval && `${percent(lower)} to ${percent(upper)}, `;
  const kept = [bounds, `CA after ÷ CA before, on the same ${count(after.ca.n)} test images`];
  const keptName = data.labels === "given" ? "Clean accuracy kept" : "Agreement kept";
  const chosen = `chosen on ${count(data.validation)} validation images`;
  const figures = [
    change("Attack success rate", before.asr, after.asr, after.asr.interval[1] <= limits.asr ? "good" : "bad"),
    after.triggeredAccuracy &&
      change("Accuracy on triggered images", before.triggeredAccuracy, after.triggeredAccuracy),
    after.withoutTrigger && change("Target without the trigger", before.withoutTrigger, after.withoutTrigger),
    change(accuracyName(data.labels), before.ca, after.ca),
    figure(keptName, percent(retention), kept, lower >= limits.retention ? "good" : "bad"),
    figure(capital(knobOf(variants[method] ?? {})), alphaText(alpha), [method, setting, html`<br>`, chosen]),
  ].filter((figure) => figure !== undefined);
  return html`<section class="figures n${figures.length}" aria-labelledby="figures">
<h2 id="figures" class="unseen">The figures that decide, on test images</h2>
${figures}</section>
`;
}

/** Coloured where it met a limit or missed it: a low attack success rate is good news. */
type Tone = "good" | "bad" | "";

function change(name: string, before: Rate | undefined, after: Rate, tone: Tone = ""): Html {
  const from = before && html`<span class="from">${percent(before.value)}<span class="arrow"> → </span></span>`;
  const value = html`${from}${percent(after.value)}`;
  const was = before && `${interval(before)} → `;
  const note = [was, interval(after), html`<br>`, `95\u202f% interval, ${count(after.n)} test images`];
  return figure(name, value, note, tone);
}

function figure(name: string, value: Content, note: Content, tone: Tone = ""): Html {
  return html`<div class="figure ${tone}"><h3>${name}</h3><p class="value">${value}</p><p class="note">${note}</p></div>
`;
}
