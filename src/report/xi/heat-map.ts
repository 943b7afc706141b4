/** A square map of a plane of weights: alpha_c to the right, alpha_t upwards, a cell for each model, the disentangled region outlined. */
import { type Html, html } from "../html.ts";
import { alphaText } from "../numbers.ts";

export interface HeatMap {
  /** Decides the hue. */
  readonly kind: "xi" | "ca" | "asr";
  /** Of the whole picture, for those who do not see it. */
  readonly label: string;
  readonly alphas: readonly number[];
  /** [alpha_c][alpha_t] */
  readonly values: readonly (readonly number[])[];
  /** A value as a share of the darkest shade, from 0 to 1. */
  readonly shade: (value: number) => number;
  /** What is said of a value when it is pointed at. */
  readonly say: (value: number) => string;
  /** Is this place within the region? */
  readonly isInside: (c: number, t: number) => boolean;
}

const size = 320;
const [left, top, side] = [34, 8, 278];
/** Shades that are told apart; cells of one shade beside each other are one shape. */
const shades = 50;
/** Up to so many alphas each cell can be pointed at. */
const mostPointed = 41;

export function heatMap(map: HeatMap): Html {
  const { alphas, kind, label } = map;
  const x = (alpha: number) => place(alphas, alpha, left, side);
  const y = (alpha: number) => 2 * top + side - place(alphas, alpha, top, side);
  const reach = alphas.at(-1) as number;
  return html`<svg class="map ${kind}" viewBox="0 0 ${size} ${size}" role="img" aria-label="${label}">
<g class="cells" shape-rendering="crispEdges">
${cells(map)}</g>
${axes(alphas, x, y)}<path class="diagonal" d="M${x(-reach)} ${y(-reach)}L${x(reach)} ${y(reach)}"/>
${outline(map)}${marks(reach, x, y)}<rect class="frame" x="${left}" y="${top}" width="${side}" height="${side}"/>
</svg>
`;
}

/** The middle of the cell that an alpha has. */
function place(alphas: readonly number[], alpha: number, from: number, length: number): number {
  const step = alphas[1] - alphas[0];
  return tenths(from + ((alpha - alphas[0]) / step + 0.5) * (length / alphas.length));
}

function cells({ alphas, values, shade, say }: HeatMap): Html[] {
  const n = alphas.length;
  const edge = (i: number) => tenths((i * side) / n);
  const level = (c: number, t: number) => Math.round(shades * Math.min(1, Math.max(0, shade(values[c][t]))));
  const rows: Html[] = [];
  for (let t = 0; t < n; t++)
    for (let c = 0; c < n; ) {
      let end = c + 1;
      if (n > mostPointed) while (end < n && level(end, t) === level(c, t)) end++;
      const title =
        n <= mostPointed &&
        html`<title>α_c ${signed(alphas[c])}, α_t ${signed(alphas[t])}: ${say(values[c][t])}</title>`;
      const [from, above] = [edge(c), edge(n - 1 - t)];
      rows.push(html`<rect x="${tenths(left + from)}" y="${tenths(top + above)}" width="${tenths(edge(end) - from)}" height="${tenths(edge(n - t) - above)}" fill-opacity="${level(c, t) / shades}">${title}</rect>
`);
      c = end;
    }
  return rows;
}

function axes(alphas: readonly number[], x: (alpha: number) => number, y: (alpha: number) => number): Html {
  const ticks = ticksOf(alphas.at(-1) as number);
  const bottom = top + side;
  return html`${ticks.map(
    (
      alpha,
    ) => html`<path class="tick" d="M${x(alpha)} ${bottom}v4M${left} ${y(alpha)}h-4"/><text x="${x(alpha)}" y="${bottom + 15}" text-anchor="middle">${signed(alpha)}</text><text x="${left - 7}" y="${y(alpha)}" dy="0.32em" text-anchor="end">${signed(alpha)}</text>
`,
  )}<path class="zero" d="M${x(0)} ${top}V${bottom}M${left} ${y(0)}H${left + side}"/>
<text class="name" x="${left + side / 2}" y="${size - 3}" text-anchor="middle">α<tspan class="sub" dy="2.5">c</tspan><tspan dy="-2.5">, clean task</tspan></text>
<text class="name" transform="translate(8 ${top + side / 2}) rotate(-90)" text-anchor="middle">α<tspan class="sub" dy="2.5">t</tspan><tspan dy="-2.5">, trigger</tspan></text>
`;
}

/** Round numbers, three to seven of them, 0 among them. */
export function ticksOf(reach: number): readonly number[] {
  const magnitude = 10 ** Math.floor(Math.log10(reach));
  const step = [0.5, 1, 2, 5].map((by) => by * magnitude).find((step) => reach / step < 3.5) as number;
  const each = Math.floor(reach / step + 1e-9);
  return Array.from({ length: 2 * each + 1 }, (_, i) => Number(((i - each) * step).toPrecision(6)));
}

/** With a minus sign. */
export const signed = (alpha: number) => (alpha < 0 ? `−${alphaText(-alpha)}` : alphaText(alpha));

/** Along the edges between cells of the region and others, drawn twice: it is seen on light and dark. */
function outline({ alphas, isInside }: HeatMap): Html {
  const n = alphas.length;
  const at = (i: number) => tenths((i * side) / n);
  const inside = (c: number, t: number) => c >= 0 && t >= 0 && c < n && t < n && isInside(c, t);
  const edges: string[] = [];
  for (let t = 0; t < n; t++)
    for (let c = 0; c < n; c++) {
      if (!inside(c, t)) continue;
      const [x0, x1, y0, y1] = [left + at(c), left + at(c + 1), top + at(n - 1 - t), top + at(n - t)].map(tenths);
      if (!inside(c - 1, t)) edges.push(`M${x0} ${y0}V${y1}`);
      if (!inside(c + 1, t)) edges.push(`M${x1} ${y0}V${y1}`);
      if (!inside(c, t + 1)) edges.push(`M${x0} ${y0}H${x1}`);
      if (!inside(c, t - 1)) edges.push(`M${x0} ${y1}H${x1}`);
    }
  const path = edges.join("");
  return html`<path class="halo" d="${path}"/><path class="region" d="${path}"/>
`;
}

/** theta_0; both vectors added, which is the backdoored model or near it; the clean one with the trigger's taken away. */
function marks(reach: number, x: (alpha: number) => number, y: (alpha: number) => number): Html {
  const mark = (c: number, t: number, shape: Html) =>
    reach >= 1 &&
    html`<g transform="translate(${x(c)} ${y(t)})">${shape}</g>
`;
  return html`<g class="marks">${mark(0, 0, html`<circle r="4"/>`)}${mark(1, 1, html`<path d="M-4.5 -4.5L4.5 4.5M-4.5 4.5L4.5 -4.5"/>`)}${mark(1, -1, html`<path d="M0 -4.8L4.4 3.4H-4.4Z"/>`)}</g>
`;
}

function tenths(value: number): number {
  return Math.round(10 * value) / 10;
}
