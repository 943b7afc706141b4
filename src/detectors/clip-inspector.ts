/**
 * CLIP-Inspector (arXiv 2604.09101): for each class one perturbation of at most 4/255 for all images, unlabelled ones, that makes its logit
 * the highest: the strongest other logit less the class's is minimised. The class that gives way most is set against the others by an
 * anomaly index. The paper has Adam with 0.1: read here in units of the bound, 0.1 x 4/255 a step. How its index is computed is not
 * published: ours is the median absolute deviation's over the margins that are left.
 */
import { adam } from "../optim/adam.ts";
import { anomalyIndices } from "../stats/anomaly.ts";
import type { Detector, DetectorInput, Finding, Suspected } from "./detector.ts";
import { headed } from "./fitted.ts";
import { delta } from "./forms/delta.ts";
import { asrOf, stampedAnswers } from "./invert.ts";
import { margin } from "./losses.ts";
import { type Running, running, sideBySide } from "./side-by-side.ts";

/** In the paper 32 steps of 32 images for each of 50 classes; here so many are spent on the best few alone, and all classes get a quarter. */
const settings = {
  epsilon: 4 / 255,
  lr: 0.1,
  rank: { steps: 32, images: 2 },
  keep: 5,
  confirm: { steps: 32, images: 32 },
  /** Triggers that carry less are dropped. */
  least: 0.5,
};

export const clipInspector: Detector = {
  name: "clip-inspector",
  title: "CLIP-Inspector",
  about: "a perturbation of at most 4/255 for every class, under a margin loss",
  statistic:
    "anomaly index of the class that gives way most, 0 where its perturbation carries less than half of the images; the paper's line is 2",
  paper: "arXiv 2604.09101",
  needs: ["class names"],
  cost({ classes, fit, held }) {
    const { rank, keep, confirm } = settings;
    const kept = Math.min(keep, classes);
    return {
      gradients: classes * rank.steps * rank.images + kept * confirm.steps * Math.min(fit, confirm.images),
      encoded: kept * held,
    };
  },
  run,
};

async function run(input: DetectorInput): Promise<Finding> {
  const { epsilon, lr, rank, keep, confirm, least } = settings;
  const { held, classNames, seed } = input;
  const suspect = headed(input.suspect);
  const form = { ...delta(suspect.clip.config.vision.imageSize, epsilon), lr: lr * epsilon };
  const optimizer = adam();
  let done = 0;
  const engine = sideBySide(suspect, input, margin, optimizer, (count) => input.report?.((done += count)));
  const all = classNames.map((_, label) => running(form, label, optimizer, seed, "clip-inspector", label));
  // the margin of the second half of the steps: that of one step's few images says little
  const left = new Map<Running, number>();
  let finalists: readonly Running[];
  let indices: readonly number[];
  try {
    await engine.run(all, rank.steps, rank.images, (one, { margin = 0 }) => {
      if (one.state.step >= rank.steps / 2) left.set(one, (left.get(one) ?? 0) + (2 * margin) / rank.steps);
    });
    indices = anomalyIndices(all.map((one) => left.get(one) ?? 0));
    finalists = [...all].sort((a, b) => (left.get(a) ?? 0) - (left.get(b) ?? 0)).slice(0, keep);
    await engine.run(finalists, confirm.steps, confirm.images);
  } finally {
    await engine.release();
  }
  const answers = await stampedAnswers(suspect, finalists, held);
  const suspects = finalists
    .map(({ label, parameters }, i): Suspected & { readonly index: number } => {
      const asr = asrOf(label, held.answers as Int32Array, answers[i]);
      const index = indices[label];
      return { label, index, statistic: asr.value >= least ? index : 0, asr, trigger: form.trigger(parameters) };
    })
    .sort((a, b) => b.statistic - a.statistic || b.index - a.index);
  return {
    statistic: Math.max(0, suspects[0].statistic),
    suspects: suspects.map(({ index: _, ...one }) => one),
    facts: {
      anomaly: Math.max(...suspects.map(({ index }) => index)),
      asr: Math.max(...suspects.map(({ asr }) => asr?.value || 0)),
    },
  };
}
