/** The trigger, and what it does to images before and after. */
import type { CleanResult, ExamplePicture } from "../experiments/result.ts";
import { type Html, html } from "./html.ts";
import { facts, picture, plainText, section } from "./page.ts";

export function trigger({ trigger, triggerPicture, target }: CleanResult): Html {
  const { kind: _, ...spec } = trigger.spec;
  const settings = Object.entries(spec).map(
    ([name, value]) => html`<code>${name} <b>${short(plainText(value))}</b></code> `,
  );
  return section(
    "The trigger",
    undefined,
    html`<div class="trigger">
${triggerPicture !== undefined && html`<figure>${picture(triggerPicture, `The trigger, a ${trigger.kind}`)}</figure>`}
${facts([
  ["Kind", trigger.kind],
  ["Target", html`<b class="asr-text">${target}</b>`],
  ["Source", trigger.source],
  ["Settings", settings.length > 0 && html`<span class="chips">${settings}</span>`],
])}</div>`,
  );
}

/** A fitted patch is a long word that says nothing to the eye. */
const short = (text: string) => (text.length > 40 ? `${text.slice(0, 24)}...` : text);

export function examples({ examples, target }: CleanResult): Html | undefined {
  if (examples.length === 0) return undefined;
  return section(
    "What the trigger does",
    "Test images clean and with the trigger, and the difference between the two, amplified. Below: what the model makes of the triggered image.",
    html`<div class="examples">
${examples.map((example) => card(example, target))}</div>`,
  );
}

function card({ clean, triggered, difference, label, before, after }: ExamplePicture, target: string): Html {
  const name = label ?? "an image";
  const right = label === undefined ? after !== target : after === label;
  return html`<figure class="example">
<div class="triple">${picture(clean, `${name}, clean`)}${picture(triggered, `${name}, with the trigger`)}${picture(difference, "difference, amplified")}
<small>clean</small><small>triggered</small><small>difference</small></div>
<figcaption>${label !== undefined && html`<b>${label}</b>`}
<span class="said"><span class="when">before</span> <q class="${before === target && "fooled"}">${before}</q></span>
<span class="said"><span class="when">after</span> <q class="${after === target ? "fooled" : right && "right"}">${after}</q></span>
</figcaption>
</figure>
`;
}
