/** A rate with its interval on a short axis, and where it came from: small enough to stand in a table cell. */
import type { Rate } from "../stats/rate.ts";
import { type Html, html } from "./html.ts";

export interface StripOptions {
  /** Decides the colour. */
  readonly kind: "ca" | "asr";
  /** Drawn hollow, with a line to the rate. */
  readonly before?: Rate;
  /** The shares at the ends of the axis. */
  readonly from?: number;
  readonly to: number;
  /** A limit to draw. */
  readonly bound?: number;
}

const width = 150;
const height = 16;
const margin = 5;
const y = height / 2;

/** An SVG of 150 x 16 pixels. Rates without a value are left out; those beyond the axis stand at its end. */
export function strip(rate: Rate, { kind, before, from = 0, to, bound }: StripOptions): Html {
  const x = (share: number) => {
    const place = Math.min(1, Math.max(0, (share - from) / (to - from)));
    return (margin + place * (width - 2 * margin)).toFixed(1);
  };
  const whisker = ({ interval: [low, high] }: Rate) =>
    html`<line class="whisker" x1="${x(low)}" x2="${x(high)}" y1="${y}" y2="${y}"/>`;
  const dot = ({ value }: Rate) => html`<circle cx="${x(value)}" cy="${y}" r="3.5"/>`;
  const known = Number.isFinite(rate.value);
  const start = before !== undefined && known && Number.isFinite(before.value) ? before : undefined;
  return html`<svg class="strip ${kind}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" aria-hidden="true">
<line class="track" x1="${margin}" x2="${width - margin}" y1="${y}" y2="${y}"/>
${bound !== undefined && html`<line class="bound" x1="${x(bound)}" x2="${x(bound)}" y1="0" y2="${height}"/>`}
${start && html`<line class="way" x1="${x(start.value)}" x2="${x(rate.value)}" y1="${y}" y2="${y}"/><g class="before">${whisker(start)}${dot(start)}</g>`}
${known && html`${whisker(rate)}${dot(rate)}`}
</svg>`;
}
