/** Of a cleaning without knowledge of the attack: what each round aimed at and did, and what the checkpoint's own trigger does, where it names one. */
import type { CleanResult } from "../results/clean.ts";
import { type Html, html } from "./html.ts";
import { alphaText, percent, percentWithInterval } from "./numbers.ts";
import { section } from "./page.ts";

export function rounds({ rounds = [], scan, truth }: CleanResult): Html | undefined {
  if (rounds.length === 0) return undefined;
  const before = scan === undefined ? "" : ` The scan before said: ${scan.verdict}${probability(scan.probability)}.`;
  return section(
    "Rounds",
    `Nothing was known of the attack: a scan named the target, triggers that lead to it were recovered, the model was cleaned on these, and scanned again.${before}`,
    html`<table class="card measures">
<thead><tr><td></td><th scope="col">Target</th><th scope="col">Recovered triggers</th><th scope="col">Their ASR</th><th scope="col">Method</th><th scope="col" class="number">Kept</th><th scope="col">Scan afterwards</th></tr></thead>
<tbody>
${rounds.map(row)}</tbody>
</table>
${truth && html`<p class="after">The checkpoint's metadata name a trigger, ${truth.trigger.kind} to <b>${truth.target}</b>. Nothing was chosen by it; measured at the end alone, its ASR was ${percentWithInterval(truth.asr.before)} before and is ${percentWithInterval(truth.asr.after)} after.</p>`}`,
  );
}

type Round = NonNullable<CleanResult["rounds"]>[number];

function row({ target, proxies, proxyAsr, method, alpha, retention, rescan }: Round, i: number): Html {
  const forms = new Map<string, number>();
  for (const { form } of proxies) forms.set(form, (forms.get(form) ?? 0) + 1);
  const listed = [...forms].map(([form, count]) => `${count} ${form}`).join(", ");
  const still = rescan.target === undefined ? "" : `, to ${rescan.target}`;
  return html`<tr><th scope="row">${i + 1}</th><td><b>${target}</b></td><td>${listed}</td><td>${percent(proxyAsr.before.value)} → ${percent(proxyAsr.after.value)}</td><td>${method}, alpha ${alphaText(alpha)}</td><td class="number">${percent(retention)}</td><td>${rescan.verdict}${still}${probability(rescan.probability)}</td></tr>
`;
}

const probability = (value: number | undefined) => (value === undefined ? "" : ` (probability ${percent(value)})`);
