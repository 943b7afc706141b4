/** No cleaning without a live backdoor: the trigger's effect on validation images decides. */
import type { Rule } from "../../defenses/alpha-search.ts";
import { type Deciding, decide } from "../../metrics/decision.ts";
import { type EffectMetrics, measureEffect } from "../../metrics/effect.ts";
import { imagesToShow } from "../../stats/rate.ts";
import type { Weights } from "../../tensor/tensor.ts";
import { limitOf, noBackdoor } from "../record/verdict.ts";

/** Images of a first look, three batches of the scorer, and the quantile that decides on it: 99.9 %, which costs the last look little. */
const glance = { images: 192, z: 3.290526731491926 } as const;

interface Known extends Pick<Deciding, "ca" | "chance" | "isOrdinary"> {
  readonly rule: Rule;
  readonly target: string;
}

/** Throws `not-proven` unless the trigger's effect on validation images is that of a backdoor; of some of them where these leave no doubt. */
export async function refuseWithoutBackdoor(of: EffectMetrics, weights: Weights, known: Known): Promise<void> {
  const { rule, target, ...seen } = known;
  const knows = { ...seen, least: imagesToShow(limitOf(rule)) };
  const glanced = await measureEffect(of, weights, glance);
  if (decide({ ...glanced, ...knows }).answer === "backdoor") return;
  const effect = await measureEffect(of, weights);
  const decision = decide({ ...effect, ...knows });
  if (decision.answer !== "backdoor") throw noBackdoor(decision, effect, target, seen.ca);
}
