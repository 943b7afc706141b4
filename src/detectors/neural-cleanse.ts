/**
 * Neural Cleanse (Wang et al., S&P 2019) over class names: for each class the smallest mask, with a pattern behind it, that carries images
 * to it; a backdoor's target needs a far smaller one. Cross-entropy + c |m|_1, c growing while it succeeds and falling while it does not.
 * All classes are ranked by few steps first, ours; the best ten go on.
 */
import { adam } from "../optim/adam.ts";
import { anomalyIndices } from "../stats/anomaly.ts";
import type { Detector, DetectorInput, Finding, Suspected } from "./detector.ts";
import { headed } from "./fitted.ts";
import { mask, maskShare } from "./forms/mask.ts";
import { asrOf, stampedAnswers } from "./invert.ts";
import { towardTargets } from "./losses.ts";
import { type Outcome, type Running, running, sideBySide } from "./side-by-side.ts";

/** The paper's but for the steps (there 1,000 a class, of 1,000 images each) and, since these are so few, the learning rate (0.1) and the patience (5). */
export const neuralCleanseSettings = {
  rank: { steps: 24, images: 2 },
  keep: 10,
  confirm: { steps: 36, images: 8 },
  lr: 0.3,
  betas: [0.5, 0.9] as const,
  success: 0.99,
  cost: { start: 1e-3, up: 2, down: 2 ** 1.5, patience: 2 },
};

/** The weight c of a mask, and what it was changed for. */
export interface Weight {
  readonly c: number;
  readonly up: number;
  readonly down: number;
}

/** c after a batch that was a success, or was none. */
export function nextWeight({ c, up, down }: Weight, success: boolean): Weight {
  const { cost } = neuralCleanseSettings;
  if (success) return up + 1 < cost.patience ? { c, up: up + 1, down: 0 } : { c: c * cost.up, up: 0, down: 0 };
  return down + 1 < cost.patience ? { c, up: 0, down: down + 1 } : { c: c / cost.down, up: 0, down: 0 };
}

export const neuralCleanse: Detector = {
  name: "neural-cleanse",
  title: "Neural Cleanse",
  about: "the smallest mask, with a pattern, that carries images to a class, for every class",
  statistic: "the runner-up's mask over the smallest one: how far one class stands apart",
  paper: "S&P 2019",
  needs: ["class names"],
  cost({ classes, fit, held }) {
    const { rank, keep, confirm } = neuralCleanseSettings;
    const kept = Math.min(keep, classes);
    return {
      gradients: classes * rank.steps * rank.images + kept * confirm.steps * Math.min(fit, confirm.images),
      encoded: kept * held,
    };
  },
  run,
};

/** A class's trigger, its weight, and the smallest mask that was a success. */
interface Tried extends Running {
  weight: Weight;
  best?: { readonly share: number; readonly parameters: Float32Array };
  /** Share of images carried to the class by the last step: ranks those that never succeeded. */
  rate: number;
}

async function run(input: DetectorInput): Promise<Finding> {
  const { rank, keep, confirm, betas, lr, success, cost } = neuralCleanseSettings;
  const { held, classNames, seed } = input;
  const suspect = headed(input.suspect);
  const S = suspect.clip.config.vision.imageSize;
  const formOf = (c: number) => ({ ...mask(S, () => c), lr });
  const optimizer = adam({ betas });
  let done = 0;
  const engine = sideBySide(suspect, input, towardTargets, optimizer, (count) => input.report?.((done += count)));
  const tried = classNames.map(
    (_, label): Tried => ({
      ...running(formOf(cost.start), label, optimizer, seed, "neural cleanse", label),
      weight: { c: cost.start, up: 0, down: 0 },
      rate: 0,
    }),
  );
  const after = (one: Running, { rate }: Outcome) => {
    const of = one as Tried;
    const share = maskShare(S, of.parameters);
    if (rate >= success && share < (of.best?.share ?? 2)) of.best = { share, parameters: of.parameters.slice() };
    of.rate = rate;
    of.weight = nextWeight(of.weight, rate >= success);
    of.form = formOf(of.weight.c);
  };
  const shareOf = ({ best }: Tried) => best?.share ?? 1;
  const bySize = (a: Tried, b: Tried) => shareOf(a) - shareOf(b) || b.rate - a.rate;
  let finalists: readonly Tried[];
  try {
    await engine.run(tried, rank.steps, rank.images, after);
    finalists = [...tried].sort(bySize).slice(0, keep);
    for (const one of finalists) one.best = undefined; // of so few images it says little
    await engine.run(finalists, confirm.steps, confirm.images, after);
  } finally {
    await engine.release();
  }
  const ranked = [...finalists].sort(bySize);
  const fits = ranked.map(({ form, parameters, best }) => ({ form, parameters: best?.parameters ?? parameters }));
  const answers = await stampedAnswers(suspect, fits, held);
  const shares = ranked.map(shareOf);
  const indices = anomalyIndices(shares);
  const suspects = ranked.map(({ label, form }, i): Suspected => {
    const next = i === 0 ? (shares[1] ?? shares[0]) : shares[0];
    const asr = asrOf(label, held.answers as Int32Array, answers[i]);
    return { label, statistic: next / shares[i], asr, trigger: form.trigger(fits[i].parameters) };
  });
  return {
    statistic: suspects[0].statistic,
    suspects,
    facts: { smallest: shares[0], next: shares[1] ?? shares[0], anomaly: indices[0] },
  };
}
