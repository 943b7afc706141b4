/** CA and ASR against alpha: one small panel for each variant. */
import type { Rate } from "../engine/rate.ts";
import type { Trial, Variant } from "../experiments/result.ts";
import { type Html, html } from "./html.ts";
import { alphaText, count, percent, percentWithInterval } from "./numbers.ts";

/** The ASR that counts as gone. */
export const asrBound = 0.02;

const width = 320;
const height = 200;
const left = 36;
const right = width - 28;
const top = 20;
const bottom = height - 26;

export function curves(name: string, { alpha, trials, validation }: Variant): Html {
  const drawn = onePerAlpha(trials);
  const x = alphaScale(drawn.map((trial) => trial.alpha));
  const label = `${name}: at alpha ${alphaText(alpha)}, CA ${percent(validation.ca.value)}, ASR ${percent(validation.asr.value)} on validation images`;
  return html`<svg class="curves" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">
${rateAxis()}${alphaAxis(x)}<line class="chosen" x1="${x(alpha)}" x2="${x(alpha)}" y1="${top - 4}" y2="${bottom}"/>
<text class="chosen" x="${x(alpha)}" y="${top - 8}" text-anchor="middle">α ${alphaText(alpha)}</text>
${series("asr", drawn, x)}${series("ca", drawn, x)}</svg>`;
}

function rateAxis(): Html {
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    (share) => html`<line class="grid" x1="${left}" x2="${right}" y1="${y(share)}" y2="${y(share)}"/>
<text x="${left - 6}" y="${y(share)}" dy="0.32em" text-anchor="end">${100 * share}${share === 1 && "\u202f%"}</text>
`,
  );
  return html`${grid}<line class="bound" x1="${left}" x2="${right}" y1="${y(asrBound)}" y2="${y(asrBound)}"/>
<text class="bound" x="${right + 4}" y="${y(asrBound)}" dy="0.1em">${100 * asrBound}\u202f%</text>
`;
}

function alphaAxis(x: AlphaScale): Html {
  const ticks = x.ticks.map(
    (alpha) => html`<line class="grid" x1="${x(alpha)}" x2="${x(alpha)}" y1="${bottom}" y2="${bottom + 4}"/>
<text x="${x(alpha)}" y="${bottom + 16}" text-anchor="middle">${alphaText(alpha)}</text>
`,
  );
  return html`${ticks}<text x="${right + 18}" y="${bottom + 16}">α</text>
`;
}

/** Band, line and points of one rate. CA has round points and ASR square ones, for print without colour. */
function series(kind: "ca" | "asr", trials: readonly Trial[], x: AlphaScale): Html {
  const known = trials.filter((trial) => Number.isFinite(trial[kind].value));
  const path = (share: (rate: Rate) => number) => known.map((trial) => `${x(trial.alpha)},${y(share(trial[kind]))}`);
  const lower = path((rate) => rate.interval[0]);
  const upper = path((rate) => rate.interval[1]);
  return html`<g class="${kind}"><polygon class="band" points="${[...upper, ...lower.reverse()].join(" ")}"/>
<polyline points="${path((rate) => rate.value).join(" ")}"/>
${known.map((trial) => point(kind, trial, x(trial.alpha)))}</g>
`;
}

function point(kind: "ca" | "asr", trial: Trial, cx: number): Html {
  const rate = trial[kind];
  const title = html`<title>alpha ${alphaText(trial.alpha)}: ${kind.toUpperCase()} ${percentWithInterval(rate)}, n = ${count(rate.n)}</title>`;
  const cy = y(rate.value);
  return kind === "ca"
    ? html`<circle cx="${cx}" cy="${cy}" r="2.6">${title}</circle>\n`
    : html`<rect x="${tenths(cx - 2.3)}" y="${tenths(cy - 2.3)}" width="4.6" height="4.6">${title}</rect>\n`;
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
