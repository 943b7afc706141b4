/** The defenses, by the names people type. */
import { badInput, unknownName } from "../tensor/error.ts";
import { anchored } from "./anchored.ts";
import { consensus } from "./consensus.ts";
import type { Defense, Need } from "./defense.ts";
import { fisher } from "./fisher.ts";
import { iBau } from "./i-bau.ts";
import { ibvs } from "./ibvs.ts";
import { projection } from "./projection.ts";
import { relabel } from "./relabel.ts";
import { tbar } from "./tbar.ts";

/** Every defense, in the order of lists. A new one is a file and a word here. */
export const defenses: readonly Defense[] = [tbar, anchored, fisher, consensus, relabel, projection, iBau, ibvs];

export const defenseNames: readonly string[] = defenses.map(({ name }) => name);

/** The defenses of these names, each once and in the order of the list, so that the order of asking changes nothing; `all` for every one. Throws `bad-input` on a name that is none, and where all are controls. */
export function defensesNamed(names: readonly string[]): readonly Defense[] {
  const unknown = names.find((name) => name !== "all" && !defenseNames.includes(name));
  if (unknown !== undefined) throw unknownName("method", unknown, defenseNames);
  const chosen = defenses.filter(({ name }) => names.includes("all") || names.includes(name));
  if (chosen.every(({ control }) => control)) {
    const asked = names.length === 0 ? "no method is named" : `${names.join(", ")}: a control is never chosen`;
    const others = defenses.filter(({ control }) => !control);
    throw badInput(`${asked}; name one of ${others.map(({ name }) => name).join(", ")}`);
  }
  return chosen;
}

const missing: Readonly<Record<Need, string>> = {
  "clean images": "clean images (--clean)",
  pairs: "the same images with and without the trigger: bring the trigger instead of a folder",
};

/** Throws `bad-input` where a defense needs what is not there. */
export function checkNeeds(chosen: readonly Defense[], has: Readonly<Record<Need, boolean>>): void {
  for (const { name, needs } of chosen) {
    const lacking = needs.find((need) => !has[need]);
    if (lacking !== undefined) throw badInput(`the method ${name} needs ${missing[lacking]}`);
  }
}
