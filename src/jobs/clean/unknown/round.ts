/** One round of cleaning on recovered triggers: every defense on equal terms, the best of them by validation images. */
import { measure } from "../../../metrics/accuracy.ts";
import type { EffectScores } from "../../../results/effect.ts";
import type { Weights } from "../../../tensor/tensor.ts";
import type { Context } from "../../context.ts";
import { checkEnoughImages } from "../../inputs/feasible.ts";
import type { Work } from "../../progress/work.ts";
import type { Clock } from "../../record/facts.ts";
import { type Bench, setUp } from "../bench.ts";
import { choose, defend, type Tried } from "../defend.ts";
import { sizesOf, usable } from "../facts.ts";
import { type Prepared, stagesOf } from "../prepare.ts";
import { type Scores, scoring } from "../scores.ts";
import type { CleanSpec } from "../spec.ts";

export interface Round {
  readonly bench: Bench;
  readonly scores: Scores;
  /** CA on validation images that its search was held to. */
  readonly caBefore: number;
  readonly before: EffectScores;
  readonly tried: readonly Tried[];
  /** None where no alpha satisfied the rule. */
  readonly chosen?: Tried;
  /** As they are stored; those it began with where nothing was chosen. */
  readonly weights: Weights;
}

/** Proxies that so few validation images still follow are gone: the verdict's own limit. */
const gone = 0.05;

/**
 * On triggers that only stand for another, how far a method carries over to the true trigger does not show on validation images. So the order is
 * settled beforehand: one that was seen to carry over, if it did away with the proxies; else of that one and the best of TBAR's variants the one that
 * leaves them less (the next round goes on from there); any other rival only if it is named alone.
 */
export function chooseOnStandIns(tried: readonly Tried[]): Tried | undefined {
  if (tried.length === 1) return choose(tried, onProxies);
  const carrying = choose(
    tried.filter(({ defense }) => defense.carriesOver),
    onProxies,
  );
  const variant = choose(
    tried.filter(({ defense }) => !defense.control),
    onProxies,
  );
  if (carrying === undefined || variant === undefined) return carrying ?? variant;
  return isGone(carrying) || leftBy(carrying) <= leftBy(variant) ? carrying : variant;
}

/** A recovered trigger changes much of the image: whether it is read right says little. */
const onProxies = { mending: false };

/** The share of validation images that still follow the proxies. */
const leftBy = ({ repair }: Tried): number => repair.search.best.asr.value;
export const isGone = (tried: Tried): boolean => leftBy(tried) <= gone;

/** `first`: CA on validation images of the model as it came, that all rounds together are held to; own answers are those of each round's model. */
export async function cleanRound(
  ready: Prepared,
  spec: CleanSpec,
  { clock, first, work }: { readonly clock: Clock; readonly first?: number; readonly work?: Work },
  context: Context,
): Promise<Round> {
  const bench = await setUp(ready, spec.seed, context);
  const { clip, rule } = bench;
  checkEnoughImages(rule, usable(bench));
  const scores = scoring(bench, work);
  context.progress.plan?.(stagesOf(spec, bench, sizesOf(bench)));
  clock.stage("measure before");
  const own = (await measure(scores.clean, clip.weights)).value;
  const caBefore = bench.labels === "given" ? (first ?? own) : own;
  const before = await scores.before();
  const tried = await defend(bench, spec, { scores, work, clock, caBefore, before }, context);
  const chosen = chooseOnStandIns(tried);
  const weights = chosen === undefined ? clip.weights : scores.stored(chosen.repair.weights);
  return { bench, scores, caBefore, before, tried, ...(chosen && { chosen }), weights };
}
