/** One round of cleaning on recovered triggers: every defense on equal terms, the best of them by validation images. */
import { measure } from "../../../metrics/accuracy.ts";
import type { EffectScores } from "../../../results/effect.ts";
import type { Weights } from "../../../tensor/tensor.ts";
import type { Context } from "../../context.ts";
import { checkEnoughImages } from "../../inputs/feasible.ts";
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
  readonly before: EffectScores;
  readonly tried: readonly Tried[];
  /** None where no alpha satisfied the rule. */
  readonly chosen?: Tried;
  /** As they are stored; those it began with where nothing was chosen. */
  readonly weights: Weights;
}

export async function cleanRound(ready: Prepared, spec: CleanSpec, clock: Clock, context: Context): Promise<Round> {
  const bench = await setUp(ready, spec.seed, context);
  const { clip, rule } = bench;
  checkEnoughImages(rule, usable(bench));
  const scores = scoring(bench, undefined);
  context.progress.plan?.(stagesOf(spec, bench, sizesOf(bench)));
  clock.stage("measure before");
  const caBefore = (await measure(scores.clean, clip.weights)).value;
  const before = await scores.before();
  const tried = await defend(bench, spec, { scores, clock, caBefore, before }, context);
  const chosen = choose(tried);
  const weights = chosen === undefined ? clip.weights : scores.stored(chosen.repair.weights);
  return { bench, scores, before, tried, ...(chosen && { chosen }), weights };
}
