/** Classes that grow in the answers when a trigger is on: whom a trigger that was fitted without a target leads to. */

import type { Stamped } from "./descend.ts";
import type { DetectorInput, Suspected } from "./detector.ts";
import { headed } from "./fitted.ts";
import { asrOf, stampedAnswers } from "./invert.ts";

/** By how much of all answers each class grew. */
export function growthOf(before: Int32Array, after: Int32Array, classes: number): number[] {
  const growth = new Array<number>(classes).fill(0);
  for (let k = 0; k < after.length; k++) {
    growth[after[k]] += 1 / after.length;
    growth[before[k]] -= 1 / after.length;
  }
  return growth;
}

/**
 * For each trigger the class that grows most on held-out images, its growth being the statistic; the best trigger of each class, the most
 * grown first. None where the model has no head.
 */
export async function grown(
  { suspect, held }: Pick<DetectorInput, "suspect" | "held">,
  triggers: readonly Stamped[],
): Promise<readonly Suspected[]> {
  if (suspect.head === undefined || held.answers === undefined) return [];
  const before = held.answers;
  const subject = headed(suspect);
  const suspects = new Map<number, Suspected>();
  for (const [i, after] of (await stampedAnswers(subject, triggers, held)).entries()) {
    const growth = growthOf(before, after, subject.head.shape[0]);
    const statistic = Math.max(...growth);
    const label = growth.indexOf(statistic);
    if (statistic <= (suspects.get(label)?.statistic ?? Number.NEGATIVE_INFINITY)) continue;
    const trigger = triggers[i].form.trigger(triggers[i].parameters);
    suspects.set(label, { label, statistic, asr: asrOf(label, before, after), trigger });
  }
  return [...suspects.values()].sort((a, b) => b.statistic - a.statistic);
}
