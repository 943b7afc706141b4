/** The parts that sections are made of. */
import { type Content, type Html, html } from "./html.ts";

export function section(title: string, lead: Content, ...content: readonly Content[]): Html {
  const id = title.toLowerCase().replace(/[^a-z]+/g, "-");
  return html`<section aria-labelledby="${id}">
<h2 id="${id}">${title}</h2>
${lead !== undefined && html`<p class="lead">${lead}</p>`}
${content}
</section>
`;
}

/** Names and values; those without a value are left out. */
export function facts(pairs: readonly (readonly [name: string | Html, value: Content])[]): Html {
  return html`<dl class="facts">
${pairs.map(([name, value]) => value !== undefined && value !== false && html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>
`;
}

/** An image embedded in the page. Whatever is not a PNG data URI is not shown: a report fetches nothing. */
export function picture(uri: string | undefined, alt: string): Html {
  if (uri === undefined || !/^data:image\/png;base64,[A-Za-z0-9+/]+=*$/.test(uri))
    return html`<span class="picture none">no picture</span>`;
  return html`<img class="picture" src="${uri}" alt="${alt}">`;
}

/** What CA is called where it is written out. */
export function accuracyName(labels: "given" | "agreement"): string {
  return labels === "given" ? "Clean accuracy" : "Agreement with the model before";
}

/** The ends of a strip's axis, for the head of its column. */
export function axis(from: number, to: number): Html {
  return html`<span class="axis"><span>${Math.round(100 * from)}</span><span>${Math.round(100 * to)}\u202f%</span></span>`;
}

/** A value of a spec: text as it stands, anything else as JSON. */
export function plainText(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

/** "a/b/model.safetensors" -> "model.safetensors" */
export function fileName(path: string): string {
  return path.split(/[\\/]/).pop() || path;
}
