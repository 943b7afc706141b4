/** Every defense on equal terms: the same infected model, the same validation images for its knob, the same test images. */
import { subtract } from "../../arithmetic/task-vector.ts";
import { leavesEnough, searchAlpha } from "../../defenses/alpha-search.ts";
import { bestRepair } from "../../defenses/best-repair.ts";
import type { Defense, Repair } from "../../defenses/defense.ts";
import { searchGrid } from "../../defenses/grid-search.ts";
import { measure } from "../../metrics/accuracy.ts";
import { keptFault, retentionOf } from "../../metrics/retention.ts";
import type { ControlReading, Variant } from "../../results/clean.ts";
import type { AfterScores, EffectScores } from "../../results/effect.ts";
import type { Rate } from "../../stats/rate.ts";
import { badInput } from "../../tensor/error.ts";
import type { Context } from "../context.ts";
import type { Work } from "../progress/work.ts";
import type { Clock } from "../record/facts.ts";
import { leastRetention, leastRight } from "../record/verdict.ts";
import type { Bench } from "./bench.ts";
import { defenseInput } from "./defense-input.ts";
import { curvePoints } from "./prepare.ts";
import type { Outcomes, Scores } from "./scores.ts";
import type { CleanSpec } from "./spec.ts";
import { Spending } from "./spending.ts";

/** A defense, what it made of the model, and how that did. */
export interface Tried {
  readonly defense: Defense;
  readonly repair: Repair;
  readonly after: AfterScores;
  readonly outcomes: Outcomes;
  readonly variant: Variant;
  /** With the trigger on, is the model right often enough for a verdict, as far as validation images tell (by the upper bound)? Unknown without labels. */
  readonly isMended?: boolean;
}

interface Known {
  readonly scores: Scores;
  readonly work?: Work;
  readonly clock: Clock;
  /** CA on validation images, and all scores on test images, of the model as it came. */
  readonly caBefore: number;
  readonly before: EffectScores;
  /** What a clean control model reads of the validation images. */
  readonly control?: ControlReading;
}

export async function defend(bench: Bench, spec: CleanSpec, known: Known, context: Context): Promise<readonly Tried[]> {
  const { scores, work, clock, caBefore, before, control } = known;
  const { clean, effect } = scores;
  const verify = { images: bench.attack.test.size, retention: leastRetention };
  let current = "";
  let searches = 0;
  const spending = new Spending();
  const measured = {
    ...{ clean: spending.metered(clean), triggered: spending.metered(effect.asr) },
    ...{ verify, caBefore, rule: bench.rule },
  };
  const means = { recipe: bench.recipe, seed: spec.seed, work, spending, learned: bench.learned };
  const input = defenseInput(bench, means, context, {
    async search(at, start = 1) {
      const vector = ++searches;
      const stored = (alpha: number) => scores.stored(at(alpha), `${current}: alpha ${alpha} of vector ${vector}`);
      clock.stage(`${current}: alpha`);
      const search = await searchAlpha({ ...measured, at: stored, start });
      clock.stage(current);
      return search;
    },
    async among(knobs, at) {
      const grid = ++searches;
      const stored = async (knob: number) => {
        clock.stage(current);
        const weights = scores.stored(await at(knob), `${current}: knob ${knob} of search ${grid}`);
        clock.stage(`${current}: knob`);
        return weights;
      };
      const found = await searchGrid({ ...measured, knobs, at: stored });
      clock.stage(current);
      return found;
    },
  });
  const all: Tried[] = [];
  for (const defense of bench.defenses) {
    if (bench.spare?.includes(defense.name) && all.some(suffices)) continue;
    current = defense.name;
    searches = 0; // counts are kept by defense and search: another rule may leave a defense out
    clock.stage(current);
    const since = clock.seconds();
    spending.begin();
    const repair = await defense.run(input);
    const images = spending.spent();
    clock.stage(`${current}: test`);
    const made = Object.entries({ ...repair.settings, [repair.knob]: repair.search.best.alpha })
      .flat()
      .join(" ");
    const weights = scores.stored(repair.weights, `repaired by ${current}, ${made}`);
    const after = await scores.after(weights);
    const outcomes = await scores.outcomes(weights, current);
    const curve = spec.fullCurve ? await curveOf(bench, repair, scores) : [];
    const trials = [...repair.search.trials, ...curve].sort((a, b) => a.alpha - b.alpha);
    const found = variantOf(defense, { ...repair, search: { ...repair.search, trials } }, before, after);
    const mended = effect.right && (await measure(effect.right, weights));
    const validation = { ...found.validation, ...(mended && { triggeredAccuracy: mended }) };
    const ca = repair.search.best.ca.value;
    const isMended = mended && mended.interval[1] >= leastRight(ca, control) * ca;
    const variant = { ...found, validation, seconds: clock.seconds() - since, images };
    all.push({ defense, repair, after, outcomes, variant, ...(mended && { isMended }) });
  }
  return all;
}

/** CA and ASR on all validation images along alpha, from 0 to twice the best. */
async function curveOf({ clip }: Bench, { vector, knob }: Repair, { clean, effect, stored }: Scores) {
  if (vector === undefined || knob !== "alpha") return []; // of another knob the trials are the curve
  const trials: { alpha: number; ca: Rate; asr: Rate }[] = [];
  for (let k = 0; k < curvePoints; k++) {
    const alpha = (2 * vector.alpha * k) / (curvePoints - 1);
    const weights = stored(subtract(clip.weights, vector.tau, alpha));
    trials.push({ alpha, ca: await measure(clean, weights), asr: await measure(effect.asr, weights) });
  }
  return trials;
}

function variantOf(defense: Defense, repair: Repair, before: EffectScores, after: AfterScores) {
  const { best, satisfied, trials, doubts } = repair.search;
  const { ca, asr, triggeredAccuracy, stillRight } = after;
  const kept = { before: before.ca, after: ca, stillRight };
  const fault = keptFault(kept);
  if (fault !== undefined)
    throw badInput(`counts contradict each other: ${fault}; if they are from a folder of --state, remove it`);
  const { value, interval } = retentionOf(kept);
  return {
    after: { ca, asr, ...(triggeredAccuracy && { triggeredAccuracy }), ...(stillRight && { stillRight }) },
    retention: value,
    retentionInterval: interval,
    alpha: best.alpha,
    chosen: false,
    control: defense.control === true,
    title: defense.title,
    about: defense.about,
    ...(defense.paper && { paper: defense.paper }),
    knob: repair.knob,
    validation: { ca: best.ca, asr: best.asr },
    satisfied,
    ...(doubts && { doubts }),
    trials,
    settings: repair.settings,
  };
}

/** Would it be verified, as far as validation images tell, with next to no CA lost? Then those that run only where they are needed do not. */
export function suffices({ repair, isMended = true }: Tried): boolean {
  return leavesEnough(repair.search) && repair.search.doubts === undefined && isMended;
}

/** The defense that validation prefers; none when none satisfies the rule. `mending`: those that may let triggered images be read right again come first. */
export function choose(tried: readonly Tried[], { mending = true } = {}): Tried | undefined {
  const satisfied = tried.filter(({ repair }) => repair.search.satisfied);
  const mended = satisfied.filter(({ isMended }) => mending && isMended);
  const candidates = (mended.length > 0 ? mended : satisfied).map((one) => ({ search: one.repair.search, one }));
  return candidates.length === 0 ? undefined : bestRepair(candidates).one;
}
