/** The three maps: error, clean accuracy and attack success rate of every model of the plane, with their scales and values. */
import { ratesAt, type XiResult } from "../../results/xi.ts";
import { type Content, type Html, html } from "../html.ts";
import { percent } from "../numbers.ts";
import { section } from "../page.ts";
import { type HeatMap, heatMap, signed } from "./heat-map.ts";

/** "α_c", with the letter below the line. */
export const alphaOf = (task: "c" | "t"): Html => html`α<sub>${task}</sub>`;
export const tauOf = (task: "c" | "t"): Html => html`τ<sub>${task}</sub>`;
export const everyModel = html`θ<sub>0</sub> + ${alphaOf("c")} ${tauOf("c")} + ${alphaOf("t")} ${tauOf("t")}`;

/** Small errors are told apart better than large ones; the scale's end is the same for every map, so that maps can be compared. */
export const shadeOfError = (xi: number) => Math.sqrt(xi / 2);

export function maps(result: XiResult): Html {
  const { alphas, xi, region } = result;
  const rates = alphas.map((_, c) => alphas.map((_, t) => ratesAt(result, c, t)));
  const shared = { alphas, isInside: (c: number, t: number) => xi[c][t] <= region.limit };
  const ofRate = (kind: "ca" | "asr", name: string): HeatMap => ({
    ...shared,
    kind,
    label: `${name} over the same plane`,
    values: rates.map((row) => row.map((one) => one[kind].value)),
    shade: (share) => share,
    say: (share) => `${kind.toUpperCase()} ${percent(share)}`,
  });
  const error: HeatMap = {
    ...shared,
    kind: "xi",
    label: `Weight disentanglement error over alpha_c and alpha_t; at most ${region.limit} on ${percent(region.value)} of the plane`,
    values: xi,
    shade: shadeOfError,
    say: (value) => `ξ ${value.toFixed(3)}`,
  };
  return section(
    "The plane that the two vectors span",
    html`Each cell is a model: ${everyModel}. Within the outline each vector leaves the other's images alone.`,
    html`<div class="maps">
${panel("Weight disentanglement error ξ", error, html`${scale("xi", [0, 0.05, 0.25, 0.5, 1, 2], shadeOfError, String)}${keys(result)}`)}${panel(
  "Clean accuracy",
  ofRate("ca", "Clean accuracy"),
  scale("ca", [0, 0.25, 0.5, 0.75, 1], (share) => share, shareText),
)}${panel(
  "Attack success rate",
  ofRate("asr", "Attack success rate"),
  scale("asr", [0, 0.25, 0.5, 0.75, 1], (share) => share, shareText),
)}</div>`,
  );
}

const shareText = (share: number) => `${100 * share}${share === 1 ? "\u202f%" : ""}`;

function panel(name: string, map: HeatMap, below: Content): Html {
  return html`<figure class="panel"><figcaption><b>${name}</b></figcaption>
${heatMap(map)}${below}</figure>
`;
}

/** From no colour to the darkest, with the values that stand for it. */
function scale(
  kind: HeatMap["kind"],
  ticks: readonly number[],
  shade: (value: number) => number,
  say: (value: number) => string,
): Html {
  const [width, steps] = [300, 50];
  const end = ticks.at(-1) as number;
  const parts = Array.from({ length: steps }, (_, i) => html`<rect x="${(i * width) / steps}" y="0" width="${width / steps}" height="9" fill-opacity="${(i + 0.5) / steps}"/>`); // biome-ignore format: one line
  const labels = ticks.map((value) => {
    const x = Math.round((width * shade(value)) / shade(end));
    return html`<path class="tick" d="M${x} 9v3"/><text x="${x}" y="23" text-anchor="middle">${say(value)}</text>`;
  });
  return html`<svg class="scale ${kind}" viewBox="-6 0 ${width + 24} 25" aria-hidden="true"><g shape-rendering="crispEdges">${parts}</g><rect class="frame" x="0" y="0" width="${width}" height="9"/>${labels}</svg>
`;
}

function keys({ region, together }: XiResult): Html {
  const sign = (shape: Html) => html`<svg viewBox="-9 -7 18 14" aria-hidden="true">${shape}</svg>`;
  const isMarked = together !== undefined;
  return html`<p class="legend keys"><span>${sign(html`<path class="region" d="M-8 -5H8V5H-8Z"/>`)}ξ ≤ ${region.limit}</span>${isMarked && html`<span>${sign(html`<g class="marks"><circle r="4"/></g>`)}θ₀</span><span>${sign(html`<g class="marks"><path d="M-4.5 -4.5L4.5 4.5M-4.5 4.5L4.5 -4.5"/></g>`)}both added</span><span>${sign(html`<g class="marks"><path d="M0 -4.8L4.4 3.4H-4.4Z"/></g>`)}trigger subtracted</span>`}<span>${sign(html`<path class="diagonal" d="M-9 0H9"/>`)}<b>${alphaOf("c")} = ${alphaOf("t")}</b></span></p>
`;
}

/** Beyond this a table is no help. */
const mostRows = 41;

/** What the first map draws, in numbers: alpha_t downwards from its largest, as in the picture. */
export function numbers({ alphas, xi, region }: XiResult): Html | undefined {
  if (alphas.length > mostRows) return undefined;
  const head = alphas.map((alpha) => html`<th scope="col">${signed(alpha)}</th>`);
  const rows = [...alphas.keys()].reverse().map(
    (t) =>
      html`<tr><th scope="row">${signed(alphas[t])}</th>${alphas.map((_, c) => html`<td${xi[c][t] <= region.limit && html` class="inside"`}>${xi[c][t].toFixed(3)}</td>`)}</tr>
`,
  );
  return html`<details class="numbers"><summary>Values: ξ of every model</summary>
<table><thead><tr><th scope="col">${alphaOf("t")} \\ ${alphaOf("c")}</th>${head}</tr></thead>
<tbody>
${rows}</tbody></table></details>
`;
}
