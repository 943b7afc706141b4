/** How the figures were measured, what was run, on what, and for how long. */
import { defaultsText } from "../engine/family-recipe.ts";
import type { CleanResult } from "../results/clean.ts";
import { dataText, modelText } from "../results/opened-line.ts";
import { type Html, html, jsonScript } from "./html.ts";
import { count, duration, moment } from "./numbers.ts";
import { facts, section } from "./page.ts";
import { capital, knobOf } from "./words.ts";

export function definitions({ after, data, target, variants, method }: CleanResult): Html {
  const accuracy =
    data.labels === "given"
      ? "The share of clean test images that the model gives their own label."
      : "The test images have no labels, so CA is the share of clean images to which the model says the same as before. It is 100 % before by definition, and cannot tell a mended mistake from a new one.";
  return section(
    "How this was measured",
    undefined,
    html`<div class="columns">
<dl class="terms">
<div><dt>Attack success rate (ASR)</dt><dd>The share of triggered test images taken for <b>${target}</b>. Images that are of that class are left out. n = ${count(data.testTriggered)}.</dd></div>
${after.triggeredAccuracy && html`<div><dt>Accuracy on triggered images</dt><dd>The share of these images that the model gives their own label, trigger or not. An attack can be gone and the answer still be wrong.</dd></div>\n`}${after.withoutTrigger && html`<div><dt>Target without the trigger</dt><dd>The share of images of other classes that are taken for ${target} without it. Only what an ASR lies above that is the trigger's doing.</dd></div>\n`}<div><dt>Clean accuracy (CA)</dt><dd>${accuracy} n = ${count(data.test)}.</dd></div>
<div><dt>Clean accuracy kept</dt><dd>CA after ÷ CA before. Above 100 % the model got better.</dd></div>
<div><dt>Intervals</dt><dd>95 % Wilson score intervals.</dd></div>
<div><dt>${capital(knobOf(variants[method] ?? {}))}</dt><dd>Chosen on validation images; no test image had a part in choosing.</dd></div>
</dl>
<table class="uses">
<caption>Images of ${data.name}</caption>
<tbody>
${use("forget", data.forget, "triggered; what the repair learns from")}${use("clean", data.clean, "beside them, for defenses that use clean images")}${use("validation", data.validation, `choose the defense and its ${knobOf(variants[method] ?? {})}; the curves`)}${use("test", data.test, "the verdict, the tables, the examples")}</tbody>
</table>
</div>`,
  );
}

/** What was found when model and data were opened: a figure means what its images, labels and assumptions make it mean. */
export function opened({ opened: { models = [], data = {} } = {} }: Pick<CleanResult, "opened">): Html | undefined {
  const found = [
    ...Object.entries(data).map(([role, one]) => [role, dataText(one)] as const),
    ...models.map((one) => ["model", modelText(one)] as const),
  ];
  return found.length === 0 ? undefined : section("What was opened", undefined, facts(found));
}

function use(name: string, images: number, what: string): Html | false {
  return (
    images > 0 &&
    html`<tr><th scope="row">${name}</th><td class="number">${count(images)}</td><td class="faint">${what}</td></tr>\n`
  );
}

export function run(result: CleanResult): Html {
  const { model, recipe, output } = result;
  return runSection(
    result,
    [
      ["Recipe", recipe && recipeText(recipe, result.defaults)],
      ["Written", output === undefined ? "nothing" : file(output)],
    ],
    withoutPictures(result),
    model,
  );
}

type Ran = Pick<CleanResult, "command" | "seed" | "tbar" | "created" | "seconds" | "machine" | "timings">;

/** The last section of every report; `json` is the result without its pictures. */
export function runSection(
  { command, seed, tbar, created, seconds, machine, timings }: Ran,
  more: Parameters<typeof facts>[0],
  json: object,
  model: CleanResult["model"],
): Html {
  return section(
    "What was run",
    undefined,
    html`<pre class="command"><code>${command}</code></pre>
${facts([
  ["Model", html`${model.architecture}, ${count(model.parameters)} parameters, ${model.layout} layout, ${model.dtype}`],
  ["Read", file(model)],
  ...more,
])}<div class="columns">
${facts([
  ["Seed", String(seed)],
  ["tbar", tbar],
  ["Finished", moment(created)],
  [
    "Machine",
    `${machine.processor}, ${count(machine.cores)} cores (${count(machine.threads)} threads used), ${machine.memoryGiB.toFixed(1)} GiB`,
  ],
  ["Software", `Node ${machine.node}, ${machine.runtime}`],
])}${timings.length > 0 && bars(timings, seconds)}</div>
<details><summary>The result as JSON</summary>${jsonScript("result", json)}</details>`,
  );
}

function recipeText({ lr, epochs, batch }: NonNullable<CleanResult["recipe"]>, defaults: CleanResult["defaults"]) {
  return html`learning rate ${lr < 1e-3 ? lr.toExponential() : lr}, ${epochs} epochs, batches of ${batch}${defaults && html`<small>${defaultsText(defaults)}</small>`}`;
}

function file({ path, sha256 }: { readonly path: string; readonly sha256: string }): Html {
  return html`<code>${path}</code><small>SHA-256 <code>${sha256}</code></small>`;
}

function bars(timings: CleanResult["timings"], total: number): Html {
  const longest = Math.max(...timings.map(({ seconds }) => seconds), 1e-9);
  return html`<table class="timings">
<caption>Time: ${duration(total)}</caption>
<tbody>
${timings.map(
  ({
    what,
    seconds,
  }) => html`<tr><th scope="row">${what}</th><td class="bar"><i style="width:${((100 * seconds) / longest).toFixed(1)}%"></i></td><td class="number">${duration(seconds)}</td></tr>
`,
)}</tbody>
</table>
`;
}

/** The pictures stand in the page already. */
function withoutPictures({ triggerPicture: _, examples, ...rest }: CleanResult) {
  const said = examples.map(({ label, before, after, amplified }) => ({ label, before, after, amplified }));
  return { ...rest, examples: said };
}
