/** Every defense on equal terms: the same infected model, the same validation images for its knob, the same test images. */
import { subtract } from "../../arithmetic/task-vector.ts";
import { searchAlpha } from "../../defenses/alpha-search.ts";
import { bestRepair, type Defense, type Repair } from "../../defenses/defense.ts";
import { measure } from "../../metrics/accuracy.ts";
import { keptFault, retentionOf } from "../../metrics/retention.ts";
import type { Variant } from "../../results/clean.ts";
import type { AfterScores, EffectScores } from "../../results/effect.ts";
import type { Rate } from "../../stats/rate.ts";
import { badInput } from "../../tensor/error.ts";
import type { Context } from "../context.ts";
import type { Work } from "../progress/work.ts";
import type { Clock } from "../record/facts.ts";
import { leastRetention } from "../record/verdict.ts";
import type { Bench } from "./bench.ts";
import { defenseInput } from "./defense-input.ts";
import { curvePoints } from "./prepare.ts";
import type { Scores } from "./scores.ts";
import type { CleanSpec } from "./spec.ts";

/** A defense, what it made of the model, and how that did. */
export interface Tried {
  readonly defense: Defense;
  readonly repair: Repair;
  readonly after: AfterScores;
  readonly variant: Variant;
}

interface Known {
  readonly scores: Scores;
  readonly work?: Work;
  readonly clock: Clock;
  /** CA on validation images, and all scores on test images, of the model as it came. */
  readonly caBefore: number;
  readonly before: EffectScores;
}

export async function defend(bench: Bench, spec: CleanSpec, known: Known, context: Context): Promise<readonly Tried[]> {
  const { scores, work, clock, caBefore, before } = known;
  const { clean, effect } = scores;
  const verify = { images: bench.attack.test.size, retention: leastRetention };
  let current = "";
  let searches = 0;
  const input = defenseInput(bench, { recipe: bench.recipe, seed: spec.seed }, work, context, async (at, start = 1) => {
    const vector = ++searches;
    const stored = (alpha: number) => scores.stored(at(alpha), `alpha ${alpha} of vector ${vector}`);
    clock.stage(`${current}: alpha`);
    const measured = { clean, triggered: effect.asr, verify, caBefore };
    const search = await searchAlpha({ ...measured, at: stored, start, rule: bench.rule });
    clock.stage(current);
    return search;
  });
  const all: Tried[] = [];
  for (const defense of bench.defenses) {
    current = defense.name;
    clock.stage(current);
    const since = clock.seconds();
    const repair = await defense.run(input);
    clock.stage(`${current}: test`);
    const made = Object.entries({ ...repair.settings, [repair.knob]: repair.search.best.alpha })
      .flat()
      .join(" ");
    const after = await scores.after(scores.stored(repair.weights, `repaired by ${current}, ${made}`));
    const curve = spec.fullCurve ? await curveOf(bench, repair, scores) : [];
    const trials = [...repair.search.trials, ...curve].sort((a, b) => a.alpha - b.alpha);
    const variant = variantOf(defense, { ...repair, search: { ...repair.search, trials } }, before, after);
    all.push({ defense, repair, after, variant: { ...variant, seconds: clock.seconds() - since } });
  }
  return all;
}

/** CA and ASR on all validation images along alpha, from 0 to twice the best. */
async function curveOf({ clip }: Bench, { vector }: Repair, { clean, effect, stored }: Scores) {
  if (vector === undefined) return [];
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

/** The defense that validation prefers, controls left out; none when none satisfies the rule. */
export function choose(tried: readonly Tried[]): Tried | undefined {
  const candidates = tried
    .filter(({ defense, repair }) => !defense.control && repair.search.satisfied)
    .map((one) => ({ search: one.repair.search, one }));
  return candidates.length === 0 ? undefined : bestRepair(candidates).one;
}
