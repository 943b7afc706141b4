/** The recovered triggers, on images: what they look like, what they change, what the model then says. */
import type { ScanExample, ScanResult } from "../../results/scan.ts";
import { type Html, html } from "../html.ts";
import { alphaText, percent } from "../numbers.ts";
import { picture, section } from "../page.ts";

/** What the forms of a trigger are, in words. */
const forms: Readonly<Record<string, string>> = {
  patch: "a square, in place of what was there",
  mask: "a pattern through a soft mask",
  delta: "a small change of every pixel",
  blend: "a picture mixed into the image",
  warp: "a smooth bending of the image",
  sine: "a wave over the whole image",
  several: "one of several squares",
};

export function triggers({ examples = [], verdict, detectors }: ScanResult): Html | undefined {
  if (examples.length === 0) return undefined;
  const lead =
    verdict === "backdoored"
      ? "Recovered from the weights with clean images alone: close to what the attacker used, seldom the same. Each is shown by itself and on images that took no part in fitting it."
      : "The strongest triggers that a small budget found. Every model gives way somewhat, so by themselves they prove nothing.";
  const titles = new Map(detectors.map(({ name, title }) => [name, title]));
  return section(
    "Recovered triggers",
    lead,
    examples.map((one) => suspect(one, titles.get(one.detector) ?? one.detector)),
  );
}

function suspect(example: ScanExample, title: string): Html {
  const { target, form, pattern, mask, images } = example;
  const added = form === "delta" || form === "sine";
  return html`<article class="suspect">
<h3>to “${target}”<small>${title}: ${forms[form] ?? form}</small></h3>
<div class="recovered">
<div>
<figure>${picture(pattern, `the recovered trigger, ${form}`)}<figcaption>${added ? "what it adds, amplified, on grey" : "the trigger on grey"}</figcaption></figure>
${mask !== undefined && html`<figure>${picture(mask, "mask")}<figcaption>mask: white is replaced</figcaption></figure>\n`}</div>
<div class="stamped">
${images.map((image) => stamped(image, target))}</div>
</div>
</article>
`;
}

type Image = ScanExample["images"][number];
type Answers = Image["before"];

function stamped({ clean, stamped, difference, amplified, label, before, after }: Image, target: string): Html {
  const name = label ?? "an image";
  return html`<figure>
<div class="triple">${picture(clean, `${name}, clean`)}${picture(stamped, `${name}, with the trigger`)}${picture(difference, `the difference, ${alphaText(amplified)} times as large`)}
<small>clean</small><small>stamped</small><small>difference × ${amplified.toFixed(1)}</small></div>
${before.length > 0 && answers(before, after, target)}</figure>
`;
}

function answers(before: Answers, after: Answers, target: string): Html {
  const cell = (one: Answers[number] | undefined, isFirst: boolean) =>
    one === undefined
      ? html`<td></td>`
      : html`<td class="${one.name === target && "taken"}"><span>${percent(one.probability)}</span>${isFirst ? html`<b>${one.name}</b>` : one.name}</td>`;
  return html`<table class="answers">
<thead><tr><th scope="col">says, clean</th><th scope="col">says, stamped</th></tr></thead>
<tbody>
${before.map((one, i) => html`<tr>${cell(one, i === 0)}${cell(after[i], i === 0)}</tr>\n`)}</tbody>
</table>
`;
}
