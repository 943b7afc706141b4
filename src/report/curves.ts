/** CA and ASR against alpha: one small panel for each variant, its points in reach of the keyboard, and its values as a table. */
import type { Trial, Variant } from "../results/clean.ts";
import type { Rate } from "../stats/rate.ts";
import { type Html, html } from "./html.ts";
import { alphaText, count, percent, percentWithInterval, round } from "./numbers.ts";
import { capital, knobOf } from "./words.ts";

const width = 320;
const height = 214;
const left = 36;
const right = width - 28;
const top = 20;
const bottom = height - 40;

/** `limit` is the ASR that counts as gone. */
export function curves(name: string, variant: Variant, limit: number): Html {
  const { alpha, trials, validation } = variant;
  const knob = knobOf(variant);
  const symbol = knob === "alpha" ? "α" : knob;
  const drawn = onePerAlpha(trials);
  const x = alphaScale(drawn.map((trial) => trial.alpha));
  const label = `${name}, on validation images: at ${knob} ${alphaText(alpha)}, CA ${percent(validation.ca.value)}, ASR ${percent(validation.asr.value)}`;
  return html`<svg class="curves" viewBox="0 0 ${width} ${height}" role="group" aria-label="${label}">
${rateAxis(limit)}${alphaAxis(x, symbol)}<line class="chosen" x1="${x(alpha)}" x2="${x(alpha)}" y1="${top - 4}" y2="${bottom}"/>
<text class="chosen" x="${x(alpha)}" y="${top - 8}" text-anchor="middle">${symbol} ${alphaText(alpha)}</text>
${series("asr", drawn, x)}${series("ca", drawn, x)}${drawn.map((trial) => reading(trial, x(trial.alpha), knob))}</svg>
`;
}

/** What a panel draws, in numbers. */
export function curveTable(name: string, variant: Variant): Html {
  const rows = onePerAlpha(variant.trials).map(
    ({ alpha, ca, asr }) =>
      html`<tr><th scope="row">${alphaText(alpha)}</th><td>${percentWithInterval(ca)}</td><td>${percentWithInterval(asr)}</td><td class="number">${count(ca.n)}</td></tr>\n`,
  );
  return html`<details class="values"><summary>Values of ${name}</summary>
<table><thead><tr><th scope="col">${capital(knobOf(variant))}</th><th scope="col">CA, %</th><th scope="col">ASR, %</th><th scope="col" class="number">n</th></tr></thead>
<tbody>
${rows}</tbody></table></details>
`;
}

function rateAxis(limit: number): Html {
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    (share) => html`<line class="grid" x1="${left}" x2="${right}" y1="${y(share)}" y2="${y(share)}"/>
<text x="${left - 6}" y="${y(share)}" dy="0.32em" text-anchor="end">${100 * share}${share === 1 && "\u202f%"}</text>
`,
  );
  return html`${grid}<line class="bound" x1="${left}" x2="${right}" y1="${y(limit)}" y2="${y(limit)}"/>
<text class="bound" x="${right + 4}" y="${y(limit)}" dy="0.1em">${round(limit)}</text>
`;
}

function alphaAxis(x: AlphaScale, symbol: string): Html {
  const ticks = x.ticks.map(
    (alpha) => html`<line class="grid" x1="${x(alpha)}" x2="${x(alpha)}" y1="${bottom}" y2="${bottom + 4}"/>
<text x="${x(alpha)}" y="${bottom + 16}" text-anchor="middle">${alphaText(alpha)}</text>
`,
  );
  return html`${ticks}<text x="${right + 18}" y="${bottom + 16}">${symbol}</text>
`;
}

/** Band and line of one rate. */
function series(kind: "ca" | "asr", trials: readonly Trial[], x: AlphaScale): Html {
  const known = trials.filter((trial) => Number.isFinite(trial[kind].value));
  const path = (share: (rate: Rate) => number) => known.map((trial) => `${x(trial.alpha)},${y(share(trial[kind]))}`);
  const lower = path((rate) => rate.interval[0]);
  const upper = path((rate) => rate.interval[1]);
  return html`<g class="${kind}"><polygon class="band" points="${[...upper, ...lower.reverse()].join(" ")}"/>
<polyline points="${path((rate) => rate.value).join(" ")}"/></g>
`;
}

/** Both points of one alpha, and what they say when looked at. CA has round points and ASR square ones, for print without colour. */
function reading({ alpha, ca, asr }: Trial, at: number, knob: string): Html {
  const values = `${knob} ${alphaText(alpha)}: CA ${percent(ca.value)}, ASR ${percent(asr.value)}`;
  const point = {
    asr: html`<rect class="asr" x="${tenths(at - 2.3)}" y="${tenths(y(asr.value) - 2.3)}" width="4.6" height="4.6"/>`,
    ca: html`<circle class="ca" cx="${at}" cy="${y(ca.value)}" r="2.6"/>`,
  };
  return html`<g class="at" tabindex="0" role="img" aria-label="${values}"><path class="reach" d="M${at} ${top}V${bottom}"/>${Number.isFinite(asr.value) && point.asr}${Number.isFinite(ca.value) && point.ca}<text class="tip" x="${left}" y="${height - 4}">${values}, n = ${count(ca.n)}</text></g>
`;
}

function y(share: number): number {
  return tenths(bottom - Math.min(1, Math.max(0, share)) * (bottom - top));
}

function tenths(value: number): number {
  return Math.round(10 * value) / 10;
}

/** In rising order; of trials at the same alpha the one with the most images. */
export function onePerAlpha(trials: readonly Trial[]): Trial[] {
  const byAlpha = new Map<number, Trial>();
  for (const trial of trials) {
    const other = byAlpha.get(trial.alpha);
    if (trial.alpha >= 0 && (other === undefined || trial.ca.n >= other.ca.n)) byAlpha.set(trial.alpha, trial);
  }
  return [...byAlpha.values()].sort((a, b) => a.alpha - b.alpha);
}

export interface AlphaScale {
  (alpha: number): number;
  readonly ticks: readonly number[];
}

/** Logarithmic over the alphas given, in the panel's units. 0 may be among them: it has a place of its own at the left. */
export function alphaScale(alphas: readonly number[]): AlphaScale {
  const positive = alphas.filter((alpha) => alpha > 0);
  const hasZero = positive.length < alphas.length;
  const smallest = positive.length > 0 ? Math.min(...positive) : 1;
  const largest = positive.length > 0 ? Math.max(...positive) : 1;
  const [low, high] = largest / smallest < 2 ? [smallest / 2, largest * 2] : [smallest, largest];
  const from = hasZero ? left + 38 : left + 8;
  const perUnit = (right - 8 - from) / Math.log(high / low);
  const place = (alpha: number) => {
    if (alpha <= 0) return left + 8;
    return tenths(Math.min(right, Math.max(left, from + Math.log(alpha / low) * perUnit)));
  };
  return Object.assign(place, { ticks: [...(hasZero ? [0] : []), ...logTicks(low, high)] });
}

/** 1 2 5 10 20 50, or 1 3 10 30, or powers of ten: the first that gives at most six ticks. */
function logTicks(low: number, high: number): number[] {
  const first = Math.floor(Math.log10(low));
  const decades = Array.from({ length: Math.ceil(Math.log10(high)) - first + 1 }, (_, i) => first + i);
  for (const digits of [[1, 2, 5], [1, 3], [1]]) {
    const ticks = decades.flatMap((decade) => digits.map((digit) => Number(`${digit}e${decade}`)));
    const inside = ticks.filter((tick) => tick >= low && tick <= high);
    if (inside.length <= 6) return inside;
  }
  return [low, high];
}
