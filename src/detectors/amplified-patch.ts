/**
 * Ours: squares fitted to every class on weights carried beyond the suspect's own, theta_base + k (theta - theta_base) with k > 1. What
 * training put in is in there more strongly: a pattern that resembles a trigger half, and leaves the suspect unmoved, moves the amplified
 * model. Some classes give way by themselves, on the base too: what a square does there is taken off. It is TBAR's arithmetic (arXiv
 * 2510.14845) with an alpha below zero.
 */

import { add, taskVector } from "../arithmetic/task-vector.ts";
import { isVision } from "../clip/parameters.ts";
import { logOdds, shareOf } from "../stats/log-odds.ts";
import { badInput } from "../tensor/error.ts";
import type { Tensor, Weights } from "../tensor/tensor.ts";
import { type InvertedSpec, invertedTrigger } from "../triggers/inverted.ts";
import type { Detector, DetectorInput, Images, Subject, Suspected } from "./detector.ts";
import { type Budget, costOfFits, fitted, headed } from "./fitted.ts";
import { squares } from "./fitted-patch.ts";
import { answersTo, asrOf } from "./invert.ts";

const budget: Budget = {
  screen: { steps: 6, images: 4 },
  keep: 5,
  confirm: { steps: 20, each: 3, images: 24 },
};

/** k, the largest first: the first that leaves so many answers to clean images as they are, for a model that is broken says nothing. */
const factors = [2, 1.75, 1.5, 1.25] as const;
const leastAgreement = 0.7;
/** Classes whose squares are measured on suspect and base, one way and another: at most those that are fitted anew of four groups of places. */
const measured = 2 * 4 * budget.keep;

export const amplifiedPatch: Detector = {
  name: "amplified-patch",
  title: "Fitted patch, amplified",
  about: "squares fitted per class on weights carried beyond the suspect's, away from the base",
  statistic:
    "highest share of held-out images that such a square carries to its class on the amplified model, its odds less those on the base",
  needs: ["class names", "base"],
  quick: true,
  cost(size) {
    const { gradients, encoded } = costOfFits({ ...size, base: false }, squares, budget);
    return { gradients, encoded: encoded + (factors.length + 1) * (size.fit + size.held) + measured * size.held };
  },
  async run(input) {
    const suspect = headed(input.suspect);
    const { k, agreement, ...amplified } = await amplify(input);
    const name = amplifiedPatch.name;
    const { suspects: found, facts } = await fitted({ ...input, ...amplified, base: undefined }, squares, budget, name);
    const base = { ...suspect, weights: (input.base as Subject).weights };
    const before = await answersTo(base, input.held.pixels);
    const suspects: Suspected[] = [];
    for (const { statistic, ...one } of found) {
      const stamped = await stampedBy(one.trigger as InvertedSpec, input.held);
      const onBase = asrOf(one.label, before, await answersTo(base, stamped)).value || 0;
      const asr = asrOf(one.label, input.held.answers as Int32Array, await answersTo(suspect, stamped));
      suspects.push({ ...one, statistic: beyondBase(statistic, onBase), asr });
    }
    suspects.sort((a, b) => b.statistic - a.statistic);
    return {
      statistic: suspects[0]?.statistic ?? 0,
      suspects,
      facts: { ...facts, next: suspects[1]?.statistic ?? 0, amplified: found[0]?.statistic ?? 0, k, agreement },
    };
  },
};

/** A share in odds to the base's: the same where the base does not give way at all, less where it does by itself. */
export const beyondBase = (share: number, onBase: number): number =>
  shareOf(logOdds(share) - (logOdds(onBase) - logOdds(0)));

/** theta_base + k (theta - theta_base) of the image tower. */
export function beyond(base: Weights, own: Weights, k: number): Weights {
  const isImage = ([name]: readonly [string, Tensor]) => isVision(name);
  const [from, to] = [base, own].map((weights) => new Map([...weights].filter(isImage)));
  return add(own, taskVector(from, to), k - 1);
}

/** The model that is looked at in the suspect's place, with its own answers to the images. */
async function amplify({ suspect, base, fit, held }: DetectorInput) {
  if (base === undefined)
    throw badInput("the detector amplified-patch compares with what the model was made from: --base MODEL");
  const own = headed(suspect);
  const before = [...(fit.answers as Int32Array), ...(held.answers as Int32Array)];
  const at = async (k: number) => {
    const amplified = { ...own, weights: k === 1 ? own.weights : beyond(base.weights, own.weights, k) };
    const answers = [await answersTo(amplified, fit.pixels), await answersTo(amplified, held.pixels)];
    const [fitNow, heldNow]: readonly Images[] = [fit, held].map(({ pixels }, i) => ({ pixels, answers: answers[i] }));
    const after = answers.flatMap((some) => [...some]);
    const agreement = after.filter((answer, i) => answer === before[i]).length / after.length;
    return { k, agreement, suspect: amplified, fit: fitNow, held: heldNow };
  };
  for (const k of factors) {
    const amplified = await at(k);
    if (amplified.agreement >= leastAgreement) return amplified;
  }
  return at(1);
}

/** The held-out images with a trigger on. */
async function stampedBy(trigger: InvertedSpec, { pixels }: Images): Promise<Tensor> {
  const ids = Array.from({ length: pixels.shape[0] }, (_, i) => `${i}`);
  return invertedTrigger(trigger).apply({ ...pixels, data: pixels.data.slice() }, ids);
}
