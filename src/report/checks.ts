/** Rates before and after: what is claimed, and what else was looked at. */
import type { CleanResult } from "../results/clean.ts";
import { percent } from "../stats/percent.ts";
import type { Rate } from "../stats/rate.ts";
import { type Html, html } from "./html.ts";
import { alphaText, count, percentWithInterval } from "./numbers.ts";
import { accuracyName, axis, section } from "./page.ts";
import { strip } from "./strip.ts";

interface Measure {
  readonly what: string;
  readonly note?: string;
  readonly kind: "ca" | "asr";
  readonly before?: Rate;
  readonly after: Rate;
}

export function beforeAndAfter(result: CleanResult): Html {
  const { before, after, data, proof, model, output, floored } = result;
  const checks = furtherChecks(result);
  return section(
    "Before and after",
    `Test images alone; none of them had a part in the repair or in choosing it. In brackets the 95 % interval, drawn at the right from before (hollow) to after.`,
    html`<table class="card measures">
<thead><tr><td></td><th scope="col">Before</th><th scope="col">After</th><th scope="col" class="drawn">${axis(0, 1)}</th><th scope="col" class="number">n</th></tr></thead>
<tbody>
${row({ what: "Attack success rate (ASR)", kind: "asr", before: before.asr, after: after.asr })}${row({ what: `${accuracyName(data.labels)} (CA)`, kind: "ca", before: before.ca, after: after.ca })}${effectRows(result).map(row)}</tbody>
${
  checks.length > 0 &&
  html`<tbody>
<tr class="group"><th colspan="5" scope="rowgroup">Further checks${output && ", on the file read again from disk"}</th></tr>
${checks.map(row)}</tbody>
`
}</table>
${proof.restore !== undefined && html`<p class="after">${restored(proof.restore, model.dtype)}</p>`}${
  floored !== undefined &&
  html`
<p class="after">Running variances that would have fallen below zero and were set to zero: ${count(floored)}.</p>`
}`,
  );
}

type Rates = Pick<Measure, "before" | "after">;
const of =
  (kind: Measure["kind"]) =>
  (what: string, { before, after }: Rates, note?: string): Measure => ({ what, note, kind, before, after });
const [ca, asr] = [of("ca"), of("asr")];

/** What an attack success rate leaves open: is the answer right, and how much of the rate is the trigger's doing? */
function effectRows({ before, after }: CleanResult): Measure[] {
  const right = after.triggeredAccuracy && { before: before.triggeredAccuracy, after: after.triggeredAccuracy };
  const without = after.withoutTrigger && { before: before.withoutTrigger, after: after.withoutTrigger };
  const untouched = "the same images, clean: an ASR counts only above this";
  return [
    right && ca("Accuracy on triggered images", right, "their own label, not just another than the target"),
    without && asr("Taken for the target without the trigger", without, untouched),
  ].filter((row) => row !== undefined);
}

function furtherChecks({ proof, before }: CleanResult): Measure[] {
  const { floor, control, shifted, unseenClasses, retrieval, further = {}, rebound } = proof;
  const older = further.retrieval === undefined ? retrieval : undefined;
  const unseen = "CA on classes that cleaning never saw";
  const rows = [
    floor && asr("ASR of a model never backdoored", { after: floor }, "a clean control model: what “gone” looks like"),
    control && ca("Accuracy of that model on triggered images", { after: control.triggeredAccuracy }, `what can be read of them; ${percent(control.ca.value)} without the trigger`), // biome-ignore format: one line
    ...shifted.map((one) => asr(`ASR, trigger ${one.what}`, one, "not only the very trigger that was subtracted")),
    unseenClasses && ca(unseen, unseenClasses, "what was not trained on is kept too"),
    older && ca("Image to text retrieval, recall at 1", older),
    ...Object.values(further).map((one) => ca(one.title, one, one.about)),
  ];
  if (rebound !== undefined) {
    const what = `after ${count(rebound.steps)} more steps of clean training`;
    const { scores } = rebound;
    rows.push(
      asr(`ASR ${what}`, { before: before.asr, after: scores.asr }, "does the backdoor come back?"),
      ca(`CA ${what}`, { before: before.ca, after: scores.ca }, "the same training, on clean images"),
    );
  }
  return rows.filter((row) => row !== undefined);
}

function row({ what, note, kind, before, after }: Measure): Html {
  return html`<tr><th scope="row">${what}${note && html`<small>${note}</small>`}</th>
<td data-label="Before">${before === undefined ? html`<span class="faint">–</span>` : percentWithInterval(before)}</td>
<td data-label="After"><b>${percentWithInterval(after)}</b></td>
<td class="drawn">${strip(after, { kind, before, to: 1 })}</td>
<td class="number" data-label="n">${before !== undefined && before.n !== after.n && `${count(before.n)} / `}${count(after.n)}</td></tr>
`;
}

function restored(steps: number, dtype: string): string {
  const how = steps === 0 ? "bit for bit" : `to within ${alphaText(steps)} rounding steps of ${dtype}`;
  return `Adding the stored vector back gives the model before, ${how}.`;
}
