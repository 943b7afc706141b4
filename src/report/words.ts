/** What a report says of attacks and defenses: the result's own words, and of results of 0.1.0, which have none, those of the name. */
import { attacks } from "../attacks/index.ts";
import { defenses } from "../defenses/index.ts";
import type { CleanResult, Variant } from "../results/clean.ts";
import { type Content, html } from "./html.ts";

type Worded = Pick<Variant, "title" | "about" | "paper" | "knob">;

/** "TBAR: as published ... (arXiv 2510.14845)" */
export function aboutText(name: string, variant: Worded): Content {
  return sentence(variant.title === undefined ? defenses.find((one) => one.name === name) : variant);
}

/** The same of the attack that makes such triggers; nothing where it is none of ours. */
export function attackText(trigger: CleanResult["trigger"]): Content {
  return sentence(trigger.title === undefined ? attacks.find(({ name }) => name === trigger.kind) : trigger);
}

function sentence({ title, about, paper }: Worded = {}): Content {
  return title && html`${title}${about && `: ${about}`}${paper && html` (${paperLink(paper)})`}`;
}

/** "arXiv 2510.14845" leads there; anything else is text. */
export function paperLink(paper: string): Content {
  const number = /^arXiv (\d{4}\.\d{4,5})$/.exec(paper)?.[1];
  return number === undefined ? paper : html`<a href="https://arxiv.org/abs/${number}">${paper}</a>`;
}

/** What a defense's search turned. */
export const knobOf = ({ knob = "alpha" }: Worded): string => knob;

/** As a heading: "Alpha". */
export const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
