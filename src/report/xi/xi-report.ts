/** A map of the weight disentanglement error as one HTML file. */
import type { XiResult } from "../../results/xi.ts";
import { documentOf } from "../document.ts";
import { type Content, type Html, html } from "../html.ts";
import { count, percent, percentWithInterval } from "../numbers.ts";
import { facts, fileName, section } from "../page.ts";
import { opened, runSection } from "../run.ts";
import { alphaOf, everyModel, maps, numbers, tauOf } from "./maps.ts";
import { styles } from "./style.ts";

/** The whole page. The same result gives the same bytes; text of the result is escaped wherever it stands. */
export function xiReport(result: XiResult): string {
  const { region, model, created, tbar } = result;
  return documentOf({
    name: fileName(model.path),
    answer: `disentangled on ${percent(region.value)} of the plane`,
    created,
    body: html`${summary(result)}${maps(result)}${angles(result)}${meaning(result)}${numbers(result)}${opened(result)}${run(result)}`,
    footer: html`Made by tbar ${tbar}.`,
    styles,
  });
}

/** An error of two rates, between 0 and 2: 0.034 */
export const errorText = (value: number): string => value.toFixed(value < 0.1 ? 3 : 2);

function summary({ region, together, negated, vectors, trigger, target, alphas, warnings = [] }: XiResult): Html {
  const [low, high] = region.interval.map(percent);
  const reach = alphas.at(-1);
  const at = (place: NonNullable<typeof together>) =>
    html`${errorText(place.interval[0])}–${errorText(place.interval[1])}<br>CA ${percentWithInterval(place.ca)}<br>ASR ${percentWithInterval(place.asr)}`;
  return html`<h1>Clean task and trigger leave each other alone on ${percent(region.value)} of the plane</h1>
<p class="lead">${trigger.kind} to <b>${target}</b>; α from −${reach} to ${reach} on both axes.${warnings.map((what) => html` <b>Doubtful:</b> ${what}.`)}</p>
<section class="figures n4" aria-label="Figures">
${figure(`Disentangled region, ξ ≤ ${region.limit}`, percent(region.value), [html`${low} to ${high} by the 95 % intervals of ξ`, html`<br>`, `${count(region.points)} of ${count(region.of)} models`])}${together && figure("ξ with both vectors, (1, 1)", errorText(together.value), at(together))}${negated && figure("ξ with the trigger's subtracted, (1, −1)", errorText(negated.value), at(negated))}${figure("Cosine of the vectors", cosineText(vectors.cosine), `norms ${vectors.clean.norm.toPrecision(3)} and ${vectors.trigger.norm.toPrecision(3)}`)}</section>
`;
}

/** With a minus sign. */
const cosineText = (cosine: number) => cosine.toFixed(3).replace("-", "−");

function figure(name: string, value: Content, note: Content): Html {
  return html`<div class="figure"><h3>${name}</h3><p class="value">${value}</p><p class="note">${note}</p></div>
`;
}

function angles({ vectors: { groups } }: XiResult): Html {
  return section(
    "Angle between the vectors, by layer",
    "Where the cosine is near 0 the two tasks change a layer in directions that have nothing to do with each other; towards 1 they want the same.",
    html`<div class="card"><table><thead><tr><th scope="col">part of the image tower</th><th scope="col">cosine, −1 to 1</th><th scope="col" class="number">cosine</th><th scope="col" class="number">norm of ${tauOf("c")}</th><th scope="col" class="number">norm of ${tauOf("t")}</th></tr></thead>
<tbody>
${groups.map(
  ({ name, cosine, norms }) =>
    html`<tr><th scope="row">${name}</th><td class="drawn">${lollipop(cosine)}</td><td class="number" data-label="cosine">${cosineText(cosine)}</td>${norms.map((norm) => html`<td class="number" data-label="norm">${norm.toPrecision(3)}</td>`)}</tr>
`,
)}</tbody></table></div>`,
  );
}

/** From -1 to 1, 0 in the middle. */
function lollipop(cosine: number): Html {
  const x = (70 + 65 * cosine).toFixed(1);
  return html`<svg class="lollipop" width="140" height="16" viewBox="0 0 140 16" aria-hidden="true"><line x1="5" x2="135" y1="8" y2="8"/><line x1="70" x2="70" y1="2" y2="14"/><line class="stem" x1="70" x2="${x}" y1="8" y2="8"/><circle cx="${x}" cy="8" r="3.5"/></svg>`;
}

function meaning({ images, data, vectors, target }: XiResult): Html {
  const made = ({ how, images }: XiResult["vectors"]["clean"]) =>
    html`${how}${images !== undefined && ` (${count(images)} images)`}`;
  return section(
    "How this was measured",
    undefined,
    html`<dl class="terms">
<div><dt>Weight disentanglement error ξ</dt><dd>The share of clean images to which ${everyModel} says something else than θ<sub>0</sub> + ${alphaOf("c")} ${tauOf("c")}, plus the share of triggered images to which it says something else than θ<sub>0</sub> + ${alphaOf("t")} ${tauOf("t")}: from 0 to 2. It counts changed answers, right or wrong (arXiv 2305.12827).</dd></div>
<div><dt>Images</dt><dd>${count(images.clean)} clean ones and ${count(images.triggered)} with the trigger, of ${data}; none is among both, and none of the triggered ones is of the class <b>${target}</b>. All answers are under one zero-shot head, that of θ<sub>0</sub>.</dd></div>
<div><dt>Region</dt><dd>The share of the grid's models with ξ ≤ 0.05. Its range goes from those whose whole 95 % interval lies within that to those whose interval reaches it.</dd></div>
</dl>
${facts([
  [tauOf("c"), made(vectors.clean)],
  [tauOf("t"), made(vectors.trigger)],
])}`,
  );
}

function run(result: XiResult): Html {
  return runSection(result, [], result, result.model);
}
