/** Rates before and after: what is claimed, and what else was looked at. */
import type { Rate } from "../engine/rate.ts";
import type { CleanResult } from "../experiments/result.ts";
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
    undefined,
    html`<table class="card measures">
<thead><tr><td></td><th scope="col">Before</th><th scope="col">After</th><th scope="col" class="drawn">${axis(0, 1)}</th><th scope="col" class="number">n</th></tr></thead>
<tbody>
${row({ what: "Attack success rate (ASR)", kind: "asr", before: before.asr, after: after.asr })}${row({ what: `${accuracyName(data.labels)} (CA)`, kind: "ca", before: before.ca, after: after.ca })}${effectRows(before, after).map(row)}</tbody>
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

/** What is no attack success: the target without the trigger, and how many triggered images get their own label. */
function effectRows(before: CleanResult["before"], after: CleanResult["after"]): Measure[] {
  const rows: Measure[] = [];
  if (after.withoutTrigger !== undefined) {
    const note = "these images without the trigger, taken for the target";
    rows.push({
      what: "ASR without the trigger",
      note,
      kind: "asr",
      before: before.withoutTrigger,
      after: after.withoutTrigger,
    });
  }
  if (after.triggeredAccuracy !== undefined) {
    const note = "is the answer right, not just another than the target?";
    rows.push({
      what: "Accuracy on triggered images",
      note,
      kind: "ca",
      before: before.triggeredAccuracy,
      after: after.triggeredAccuracy,
    });
  }
  return rows;
}

function furtherChecks({ proof, before }: CleanResult): Measure[] {
  const { floor, shifted, unseenClasses, retrieval, rebound } = proof;
  const rows: (Measure | undefined)[] = [
    floor && { what: "ASR of a model never backdoored", note: "what “gone” looks like", kind: "asr", after: floor },
    ...shifted.map(({ what, before, after }) => ({
      what: `ASR, trigger ${what}`,
      kind: "asr" as const,
      before,
      after,
    })),
    unseenClasses && { what: "CA on classes that cleaning never saw", kind: "ca", ...unseenClasses },
    retrieval && { what: "Image to text retrieval, recall at 1", kind: "ca", ...retrieval },
  ];
  if (rebound !== undefined) {
    const what = `after ${count(rebound.steps)} more steps of clean training`;
    const note = "does the backdoor come back?";
    rows.push(
      { what: `ASR ${what}`, note, kind: "asr", before: before.asr, after: rebound.scores.asr },
      { what: `CA ${what}`, kind: "ca", before: before.ca, after: rebound.scores.ca },
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
