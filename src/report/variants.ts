/** The defenses side by side: the paper's own first, then others, rivals and controls last. */
import type { CleanResult, Variant } from "../results/clean.ts";
import type { Rate } from "../stats/rate.ts";
import { curves, curveTable } from "./curves.ts";
import { type Html, html } from "./html.ts";
import { type Limits, limitsOf, shortcomings } from "./limits.ts";
import { alphaText, count, duration, percent, percentWithInterval, pointsWithInterval } from "./numbers.ts";
import { accuracyName, axis, plainText, section } from "./page.ts";
import { type StripOptions, strip } from "./strip.ts";
import { aboutText, capital, knobOf } from "./words.ts";

type Named = readonly [name: string, variant: Variant];
type Against = NonNullable<Variant["against"]>;

export function variantCurves(result: CleanResult): Html | undefined {
  const drawn = inOrder(result).filter(([, { trials }]) => trials.length > 0);
  if (drawn.length === 0) return undefined;
  const knob = oneKnob(drawn);
  return section(
    `Accuracy and attack against ${knob ?? "each defense's knob"}`,
    html`${knob === "alpha" && "Cleaned weights = backdoored weights − alpha × vector. "}All of it measured on the ${count(result.data.validation)} validation images, on which ${knob ?? "the knob"} was chosen, some values on fewer of them; the figures that count are those of test images, below. Bands are 95 % intervals. ${knob === "alpha" ? "Vectors differ in length" : "Defenses differ"}, so each panel has an axis of its own.`,
    html`<p class="legend"><span class="ca"><i></i>${accuracyName(result.data.labels)}, validation</span><span class="asr"><i></i>Attack success rate, validation</span><span class="chosen"><i></i>${capital(knob ?? "value")} that was chosen</span><span class="bound"><i></i>Limit of the attack success rate</span></p>
<div class="panels">
${drawn.map(([name, variant]) => panel(name, variant, limitsOf(result.verdict)))}</div>`,
  );
}

function panel(name: string, variant: Variant, limits: Limits): Html {
  const { ca, asr } = variant.validation;
  return html`<figure class="panel ${variant.chosen && "best"}">
<figcaption>${title(name, variant)}${shortcomings(variant, limits).length > 0 && tag("missed", "below the limits")}<small>validation: CA ${percent(ca.value)} · ASR ${percent(asr.value)}</small></figcaption>
${curves(name, variant, limits.asr)}${curveTable(name, variant)}</figure>
`;
}

export function variantTable(result: CleanResult): Html | undefined {
  const rows = inOrder(result);
  if (rows.length === 0) return undefined;
  const beside = rows.find(([, { against }]) => against !== undefined)?.[1].against?.method;
  const limits = limitsOf(result.verdict);
  const knob = oneKnob(rows);
  const columns = [caColumn(rows, accuracyName(result.data.labels)), asrColumn(rows, limits.asr)];
  return section(
    "Defenses",
    html`Figures from ${count(result.data.test)} test images. Marked in amber: what falls short of the limits at the top of this page.${beside && ` Better or worse than ${beside}, the best of TBAR's variants on validation images, only where the 95 % interval of a difference, image by image, leaves out 0.`}`,
    html`<table class="card variants">
<thead><tr><th scope="col">Defense</th><th scope="col" class="number">${capital(knob ?? "knob")}</th>${columns.map(({ name, from, to }) => html`<th scope="col">${name}, test${axis(from, to)}</th>`)}<th scope="col" class="number">CA kept</th>${beside && html`<th scope="col">Against ${beside}<br>in points</th>`}<th scope="col" class="number">Time</th></tr></thead>
<tbody>
${rows.map((named) => row(named, { columns, limits, beside, knob }))}</tbody>
</table>
${rivals(rows)}`,
  );
}

/** What a rival is for, where there is one. */
function rivals(rows: readonly Named[]): Html | undefined {
  const names = rows.filter(([, { control }]) => control).map(([name]) => html`<b>${name}</b>`);
  if (names.length === 0) return undefined;
  return html`<p class="after">${names.length === 1 ? html`${names} is a rival or control` : html`${names.map((name, i) => html`${i > 0 && ", "}${name}`)} are rivals or controls`}: no variant of TBAR, on the same model and the same images. Where the trigger is known, validation images choose among all; of an unknown attack a rival is chosen only if it is named alone.</p>`;
}

interface Column extends StripOptions {
  readonly name: string;
  readonly from: number;
}

function caColumn(rows: readonly Named[], name: string): Column {
  const lowest = Math.min(...rows.map(([, { after }]) => after.ca.interval[0]));
  return { name, kind: "ca", from: Math.floor(10 * lowest) / 10, to: 1 };
}

function asrColumn(rows: readonly Named[], bound: number): Column {
  const highest = Math.max(...rows.map(([, { after }]) => after.asr.interval[1]));
  const to = highest <= 2.5 * bound ? 2.5 * bound : Math.ceil(10 * highest) / 10;
  return { name: "Attack success rate", kind: "asr", from: 0, to, bound };
}

interface Beside {
  readonly columns: readonly Column[];
  readonly limits: Limits;
  /** The one that all others are compared with, where they are. */
  readonly beside?: string;
  /** The one that all have; else each says its own. */
  readonly knob?: string;
}

function row([name, variant]: Named, { columns, limits, beside, knob }: Beside): Html {
  const { after, settings } = variant;
  const about = aboutText(name, variant);
  const below = shortcomings(variant, limits).map((text) => tag("missed", text));
  const chosen = Object.entries(settings).map(([key, value]) => `${key}\u00a0${plainText(value)}`);
  return html`<tr class="${variant.chosen && "best"}"><th scope="row">${title(name, variant)}${below}${about && html`<small>${about}</small>`}${chosen.length > 0 && html`<small>${chosen.join(", ")}</small>`}</th>
<td class="number" data-label="${capital(knobOf(variant))}">${knob === undefined && `${knobOf(variant)}\u00a0`}${alphaText(variant.alpha)}</td>
${columns.map((column) => html`<td class="${column.bound !== undefined && after[column.kind].interval[1] > column.bound && "missed"}" data-label="${column.name}">${percentWithInterval(after[column.kind])}${strip(after[column.kind], column)}${column.kind === "asr" && after.triggeredAccuracy && html`<small>right answers ${percent(after.triggeredAccuracy.value)}</small>`}</td>`)}
<td class="number ${(variant.retentionInterval?.[0] ?? variant.retention) < limits.retention && "missed"}" data-label="CA kept">${percent(variant.retention)}</td>
${beside && html`<td data-label="Against ${beside}">${variant.against && against(variant.against)}</td>`}
<td class="number" data-label="Time">${duration(variant.seconds)}${variant.images && html`<small>${count(variant.images.data)} images</small><small>${count(variant.images.trained)} trained on</small><small>${count(variant.images.encoded)} encoded</small>`}</td></tr>
`;
}

function title(name: string, { chosen, control, satisfied }: Variant): Html {
  return html`<b>${name}</b>${chosen && tag("best", "chosen")}${control && tag("control", "rival")}${!satisfied && tag("missed", "rule not met on validation images")}`;
}

function tag(kind: string, text: string): Html {
  return html` <span class="tag ${kind}">${text}</span>`;
}

function against(differences: Against): Html {
  const word = comparison(differences);
  const change = (kind: "ca" | "asr") => pointsWithInterval(differences[kind]);
  return html`<span class="word ${word}">${word === "level" ? "no clear difference" : word}</span><small>CA ${change("ca")}</small><small>ASR ${change("asr")}</small>`;
}

/** Better where one of CA and ASR is clearly better and the other not clearly worse. */
export function comparison({
  ca,
  asr,
}: Readonly<Record<"ca" | "asr", Pick<Rate, "interval">>>): "better" | "worse" | "mixed" | "level" {
  const up = ca.interval[0] > 0 || asr.interval[1] < 0;
  const down = ca.interval[1] < 0 || asr.interval[0] > 0;
  return up && down ? "mixed" : up ? "better" : down ? "worse" : "level";
}

/** What all of them turned; undefined where they turned different things. */
function oneKnob(all: readonly Named[]): string | undefined {
  const knobs = new Set(all.map(([, variant]) => knobOf(variant)));
  return knobs.size === 1 ? [...knobs][0] : undefined;
}

function inOrder({ variants }: CleanResult): Named[] {
  const place = ([name, variant]: Named) => (name === "plain" ? 0 : variant.control ? 2 : 1);
  return Object.entries(variants).sort((a, b) => place(a) - place(b));
}
