/**
 * DECREE (Feng et al., CVPR 2023): one mask and pattern under which the embeddings of different images become alike, the mask as small
 * as it goes. In a backdoored encoder a small one suffices. It takes neither labels nor texts. Unlike the published code, the best mask
 * and pattern are kept wherever they came up; there each epoch begins with empty ones.
 */
import { stampGradients } from "../engine/pixel-gradients.ts";
import { adam } from "../optim/adam.ts";
import { random } from "../tensor/random.ts";
import { descendAlone, named, pickedAt, rowsOf } from "./descend.ts";
import type { Detector, DetectorInput, Finding } from "./detector.ts";
import { mask, maskShare } from "./forms/mask.ts";
import { grown } from "./growth.ts";
import { alike } from "./losses.ts";

/** The paper's settings for CLIP, but for `steps` and `batch`: there at most 1,000 epochs of batches of 32. */
export const decreeSettings = {
  steps: 160,
  batch: 24,
  betas: [0.5, 0.9] as const,
  /** Learning rate from which epoch on. */
  lr: [[0, 0.5], [200, 0.1], [500, 0.05]] as const, // biome-ignore format: a table
  /** Mean cosine of a batch from which it counts as a success. */
  alike: 0.99,
  lambda: { start: 1e-3, factor: 5, most: 1e5, least: 1e-7, patience: 5, reset: 10 },
  /** Stop at the end of an epoch after so many steps without a smaller mask. */
  idle: 35,
};

/** Of PL1: below it the paper calls an encoder backdoored. */
const threshold = 0.1;

export interface Lambda {
  readonly lambda: number;
  /** Successes or failures one after another since lambda last changed. */
  readonly up: number;
  readonly down: number;
  /** Successes one after another. */
  readonly run: number;
}

/** How much the mask weighs after a batch that was a success, or was none. */
export function nextLambda({ lambda, up, down, run }: Lambda, success: boolean): Lambda {
  const { start, factor, most, least, patience, reset } = decreeSettings.lambda;
  const now = { lambda, up: success ? up + 1 : 0, down: success ? 0 : down + 1, run: success ? run + 1 : 0 };
  if (lambda < least && now.run > reset) return { lambda: start, up: 0, down: 0, run: 0 };
  if (now.up > patience) return { ...now, up: 0, lambda: lambda < most ? lambda * factor : lambda };
  if (now.down > patience) return { ...now, down: 0, lambda: lambda >= least ? lambda / factor : lambda };
  return now;
}

export const decree: Detector = {
  name: "decree",
  title: "DECREE",
  about: "a mask and a pattern that make the embeddings of different images alike; no labels, no texts",
  statistic: `1 - PL1: the share of the image that the smallest such mask leaves free; the paper's line is PL1 < ${threshold}`,
  paper: "arXiv 2303.15180",
  needs: [],
  cost: ({ fit, held }) => ({ gradients: decreeSettings.steps * Math.min(fit, decreeSettings.batch), encoded: held }),
  run,
};

async function run(input: DetectorInput): Promise<Finding> {
  const { suspect, fit, seed, signal, report } = input;
  const { steps, batch, betas, lr, ...rule } = decreeSettings;
  const S = suspect.clip.config.vision.imageSize;
  const [count] = fit.pixels.shape;
  const each = Math.min(batch, count);
  const epoch = Math.ceil(count / each);
  let weight: Lambda = { lambda: rule.lambda.start, up: 0, down: 0, run: 0 };
  const form = mask(S, () => 3 * weight.lambda); // |m|_1 counts the mask in each of three colours
  const parameters = form.start(random(seed, "decree"));
  const optimizer = adam({ betas });
  const state = optimizer.init(named(parameters));
  const engine = stampGradients(suspect.clip, suspect.weights, alike, form.graph.stamp);
  let best: { readonly share: number; readonly parameters: Float32Array } | undefined;
  let [idle, sum, taken, successes] = [0, 0, 0, 0];
  try {
    for (let step = 0; step < steps; step++) {
      signal?.throwIfAborted();
      const picked = pickedAt(count, each, seed, "decree", step);
      const { outputs, gradients } = await descendAlone(engine, { form, parameters }, rowsOf(fit.pixels, picked), {});
      const [cosine] = outputs.cosine.data;
      const success = cosine > rule.alike;
      const share = maskShare(S, parameters);
      if (success && share < (best?.share ?? Number.POSITIVE_INFINITY)) {
        best = { share, parameters: parameters.slice() };
        idle = 0;
      } else if (best !== undefined) idle++;
      successes += Number(success);
      form.penalty?.(parameters, gradients[0]);
      const of = Math.floor(step / epoch);
      const [, rate] = lr.findLast(([from]) => of >= from) as readonly [number, number];
      optimizer.update(named(parameters), named(gradients[0]), state, rate);
      weight = nextLambda(weight, success);
      report?.((taken += each));
      sum += cosine;
      if ((step + 1) % epoch !== 0) continue;
      if (best !== undefined && idle > rule.idle && sum / epoch > rule.alike) break;
      sum = 0;
    }
  } finally {
    await engine.release();
  }
  const pl1 = best?.share ?? 1; // no mask made them alike but one over all of the image
  const suspects = best && (await grown(input, [{ form, parameters: best.parameters }]));
  return {
    statistic: 1 - pl1,
    suspects: suspects?.map((one) => ({ ...one, statistic: 1 - pl1 })) ?? [],
    facts: { PL1: pl1, below: Number(pl1 < threshold), successes, lambda: weight.lambda },
  };
}
