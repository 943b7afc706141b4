/**
 * Ours: squares fitted to every class on weights carried beyond the suspect's own, theta_base + k (theta - theta_base) with k > 1. What
 * training put in is in there more strongly: a pattern that resembles a trigger half, and leaves the suspect unmoved, moves the amplified
 * model. A clean training, amplified, gives way less. It is TBAR's arithmetic (arXiv 2510.14845) with an alpha below zero.
 */

import { add, taskVector } from "../arithmetic/task-vector.ts";
import { isVision } from "../clip/parameters.ts";
import type { Rate } from "../stats/rate.ts";
import { badInput } from "../tensor/error.ts";
import type { Tensor, Weights } from "../tensor/tensor.ts";
import { invertedTrigger } from "../triggers/inverted.ts";
import type { Detector, DetectorInput, Images, Suspected } from "./detector.ts";
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

export const amplifiedPatch: Detector = {
  name: "amplified-patch",
  title: "Fitted patch, amplified",
  about: "squares fitted per class on weights carried beyond the suspect's, away from the base",
  statistic: "highest share of held-out images that such a square carries to its class, on the amplified model",
  needs: ["class names", "base"],
  quick: true,
  cost(size) {
    const { gradients, encoded } = costOfFits({ ...size, base: false }, squares, budget);
    return { gradients, encoded: encoded + (factors.length + 1) * (size.fit + size.held) };
  },
  async run(input) {
    const suspect = headed(input.suspect);
    const { k, agreement, ...amplified } = await amplify(input);
    const name = amplifiedPatch.name;
    const finding = await fitted({ ...input, ...amplified, base: undefined }, squares, budget, name);
    const suspects: Suspected[] = [];
    for (const one of finding.suspects) suspects.push({ ...one, asr: await carried(suspect, one, input.held) });
    return { ...finding, suspects, facts: { ...finding.facts, k, agreement } };
  },
};

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

/** How far a square that was fitted to the amplified model carries on the suspect as it is. */
async function carried(
  suspect: Parameters<typeof answersTo>[0],
  { label, trigger }: Suspected,
  { pixels, answers }: Images,
): Promise<Rate | undefined> {
  if (trigger === undefined) return undefined;
  const ids = Array.from({ length: pixels.shape[0] }, (_, i) => `${i}`);
  const stamped = await invertedTrigger(trigger).apply({ ...pixels, data: pixels.data.slice() }, ids);
  return asrOf(label, answers as Int32Array, await answersTo(suspect, stamped));
}
