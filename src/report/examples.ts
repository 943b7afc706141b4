/** The trigger, and what it does to images before and after. */
import type { CleanResult, ExamplePicture } from "../results/clean.ts";
import { type Html, html } from "./html.ts";
import { alphaText } from "./numbers.ts";
import { facts, picture, plainText, section } from "./page.ts";
import { attackText } from "./words.ts";

export function trigger({ trigger, triggerPicture, target }: CleanResult): Html {
  const { kind: _, ...spec } = trigger.spec;
  const about = attackText(trigger);
  const settings = Object.entries(spec).map(
    ([name, value]) => html`<code>${name} <b>${short(plainText(value))}</b></code> `,
  );
  return section(
    "The trigger",
    undefined,
    html`<div class="trigger">
${triggerPicture !== undefined && html`<figure>${picture(triggerPicture, `The trigger, a ${trigger.kind}`)}</figure>`}
${facts([
  ["Kind", html`${trigger.kind}${about && html`<small>${about}</small>`}`],
  ["Target", html`<b>${target}</b>`],
  ["Source", trigger.source],
  ["Settings", settings.length > 0 && html`<span class="chips">${settings}</span>`],
])}</div>`,
  );
}

/** A fitted patch is a long word that says nothing to the eye. */
const short = (text: string) => (text.length > 40 ? `${text.slice(0, 24)}...` : text);

export function examples({ examples, target }: CleanResult): Html | undefined {
  if (examples.length === 0) return undefined;
  const wrong = examples.filter((example) => isWrong(example, target)).length;
  const tally =
    wrong === 0
      ? `After cleaning none of these ${examples.length} examples is answered wrongly.`
      : `${wrong} of ${examples.length} examples ${wrong === 1 ? "is" : "are"} still wrong after cleaning.`;
  const known = examples.some(({ label }) => label !== undefined);
  return section(
    "What the trigger does",
    "Test images clean and with the trigger, and the difference between the two, amplified by the factor below it. A change of a small region is framed and shown enlarged. Under the pictures: what the model says to the triggered image.",
    html`<p class="tally ${wrong > 0 && "missed"}">${known ? tally : `${wrong} of ${examples.length} examples are still taken for the target after cleaning; the images have no labels to tell more.`}</p>
<div class="examples">
${examples.map((example) => card(example, target))}</div>`,
  );
}

/** Without a label only the target is known to be wrong. */
function isWrong({ label, after }: ExamplePicture, target: string): boolean {
  return label === undefined ? after === target : after !== label;
}

function card(example: ExamplePicture, target: string): Html {
  const { clean, triggered, difference, amplified, label, before, after } = example;
  const name = label ?? "an image";
  const wrong = isWrong(example, target);
  const right = label !== undefined && !wrong;
  const factor = amplified === undefined ? "amplified" : `× ${alphaText(amplified)}`;
  return html`<figure class="example ${wrong && "wrong"}">
<div class="triple">${framed(example, clean, `${name}, clean`)}${framed(example, triggered, `${name}, with the trigger`)}${picture(difference, `difference, ${factor}`)}
<small>clean</small><small>triggered</small><small>difference ${factor}</small>${zoomed(example, name)}</div>
<figcaption>${label !== undefined && html`<b>${label}</b>`}
<span class="said"><span class="when">before</span> <q class="${before === target && "fooled"}">${before}</q></span>
<span class="said"><span class="when">after</span> <q class="${wrong ? "fooled" : right && "right"}">${after}</q>${wrong && html` <span class="tag missed">still wrong</span>`}</span>
</figcaption>
</figure>
`;
}

/** A picture with a frame around the square that is shown enlarged. */
function framed({ inset }: ExamplePicture, uri: string, alt: string): Html {
  if (inset === undefined) return picture(uri, alt);
  const share = (pixels: number) => `${((100 * pixels) / inset.of).toFixed(1)}%`;
  const place = `left:${share(inset.left)};top:${share(inset.top)};width:${share(inset.side)};height:${share(inset.side)}`;
  return html`<span class="framed">${picture(uri, alt)}<i style="${place}"></i></span>`;
}

function zoomed({ inset }: ExamplePicture, name: string): Html | false {
  if (inset === undefined) return false;
  const { clean, triggered, side, of } = inset;
  return html`
${picture(clean, `${name}, clean, enlarged`)}${picture(triggered, `${name}, with the trigger, enlarged`)}<small>the framed ${side} × ${side} of ${of} × ${of} pixels, enlarged ${(of / side).toFixed(1)} times</small>`;
}
