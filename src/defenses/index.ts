/** The defenses, by the names people type. */
import { badInput, unknownName } from "../tensor/error.ts";
import { abl } from "./abl.ts";
import { anchored } from "./anchored.ts";
import { cleanFinetune } from "./clean-finetune.ts";
import { cleanClip } from "./cleanclip.ts";
import { clipFinetune } from "./clip-finetune.ts";
import { consensus } from "./consensus.ts";
import type { Defense, Need } from "./defense.ts";
import { erase } from "./erase.ts";
import { finePruning } from "./fine-pruning.ts";
import { fisher } from "./fisher.ts";
import { gradientAscent } from "./gradient-ascent.ts";
import { iBau } from "./i-bau.ts";
import { ibvs } from "./ibvs.ts";
import { inverTune } from "./invertune.ts";
import { par } from "./par.ts";
import { projection } from "./projection.ts";
import { randomDirection } from "./random-direction.ts";
import { regressed } from "./regressed.ts";
import { relabel } from "./relabel.ts";
import { roClip } from "./roclip.ts";
import { tbar } from "./tbar.ts";

/** Every defense, in the order of lists. A new one is a file and a word here. */
export const defenses: readonly Defense[] = [
  ...[tbar, erase, anchored, fisher, regressed, consensus],
  ...[relabel, gradientAscent, randomDirection, projection, iBau, ibvs],
  ...[cleanFinetune, finePruning, inverTune, abl],
  ...[clipFinetune, cleanClip, roClip, par],
];

export const defenseNames: readonly string[] = defenses.map(({ name }) => name);

/** What `tbar` stands for, and what runs where none is named: the paper's method and ours. */
export const family: readonly string[] = [tbar, erase, anchored, fisher].map(({ name }) => name);
/**
 * What it stands for on triggers that only stand for the attack's own: TBAR's vectors, and in a transformer beside them what carries over farthest. Not
 * `erase`: of the true trigger it leaves more than `regressed`, which leads away from the target too.
 */
export const onStandIns = {
  vectors: [tbar, anchored, fisher].map(({ name }) => name),
  beside: [regressed, inverTune].map(({ name }) => name),
};
/** Of the family, those that run only where the ones before them do not suffice on validation images. */
const ifNeeded: readonly string[] = [anchored, fisher].map(({ name }) => name);

/** The defenses of these names, each once and in the order of the list, so that the order of asking changes nothing; `tbar` for its family, `all` for every one. Throws `bad-input` on a name that is none, and where there is no name. */
export function defensesNamed(names: readonly string[]): readonly Defense[] {
  const known = ["all", "tbar", ...defenseNames];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw unknownName("method", unknown, defenseNames);
  if (names.length === 0) throw badInput(`no method is named; name some of ${known.join(", ")}`);
  const asked = new Set(names.flatMap((name) => (name === "tbar" ? family : [name])));
  return defenses.filter(({ name }) => asked.has("all") || asked.has(name));
}

const missing: Readonly<Record<Need, string>> = {
  "clean images": "clean images (--clean)",
  pairs: "the same images with and without the trigger: bring the trigger instead of a folder",
  "pairs or clean images": "clean images (--clean), or the trigger instead of a folder",
  captions:
    "images with captions: --data with a column caption, img2dataset or COCO captions beside the images, or the world shapes; clean-finetune does with labels",
  "training set":
    "the set that the model was trained on, poison and all (--training-data); gradient-ascent does with triggered images, clean-finetune with clean ones",
  "a transformer": "an image tower that is a transformer: this one is a ResNet; clean-finetune does with any",
  "a last linear map": "an image tower that ends with a linear map, which this one does not; take another method",
};

export interface Usable {
  readonly defenses: readonly Defense[];
  /** What `all` and `tbar` had to leave out, a sentence each. */
  readonly leftOut: readonly string[];
  /** Names of those that run only where the ones before them do not suffice. */
  readonly spare: readonly string[];
}

/** Those of the named defenses that can run here. Throws `bad-input` where one that is named needs what is not there; of `all` and `tbar` it is left out, unless nothing remains. */
export function usable(names: readonly string[], has: Readonly<Record<Need, boolean>>): Usable {
  const leftOut: string[] = [];
  const asked = defensesNamed(names);
  const defenses = asked.filter(({ name, needs }) => {
    const lacking = needs.find((need) => !has[need]);
    if (lacking === undefined) return true;
    const why = `the method ${name} needs ${missing[lacking]}`;
    if (names.includes(name)) throw badInput(why);
    leftOut.push(`${why}; it is left out`);
    return false;
  });
  const isSpare = ({ name }: Defense) => ifNeeded.includes(name) && !names.includes(name) && !names.includes("all");
  const spare = defenses.includes(erase) ? defenses.filter(isSpare).map(({ name }) => name) : [];
  return { defenses, leftOut, spare };
}
