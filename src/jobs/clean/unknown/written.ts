/** What is written of a cleaning without knowledge of the attack: the vector of all rounds, and the triggers that are still declared. */
import { asSubtracted } from "../../../arithmetic/running-variance.ts";
import { taskVector } from "../../../arithmetic/task-vector.ts";
import type { Truth } from "../../../results/unknown.ts";
import type { Rate } from "../../../stats/rate.ts";
import type { Weights } from "../../../tensor/tensor.ts";
import type { Bench } from "../bench.ts";
import type { Round } from "./round.ts";

/** What was subtracted in all: of several rounds the sum, with alpha 1, so that adding it once brings the parent back. */
export function vectorOf([first, ...more]: readonly Round[], parent: Weights, cleaned: Weights) {
  const vector = first.chosen?.repair.vector;
  if (more.length === 0 && vector !== undefined)
    return { ...vector, tau: asSubtracted(vector.tau, parent, cleaned, vector.alpha) };
  return { tau: taskVector(cleaned, parent), alpha: 1 };
}

/** A trigger of which at most so many images are still taken for its target counts as gone: the upper bound. */
const gone = 0.05;

/** The bench with those triggers of the metadata that were measured to work still, or could not be measured: the file goes on declaring them. */
export function declaring(bench: Bench, truth: Truth | undefined): Bench {
  const removed = [truth, ...(truth?.others ?? [])].filter((one) => one && (one.asr.after as Rate).interval[1] <= gone);
  const isRemoved = (one: unknown) => removed.some((other) => JSON.stringify(other?.trigger) === JSON.stringify(one));
  const remaining = bench.threat.remaining.filter(({ trigger }) => !isRemoved(trigger));
  return { ...bench, threat: { ...bench.threat, remaining } };
}
