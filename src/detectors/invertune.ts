/**
 * InverTune's first two steps (arXiv 2506.12411): guess the target, then invert a trigger towards its text. A small patch that leads images
 * away from their answers, whereto is left open, leads them to a backdoor's target; then mask and pattern are sought that bring images to
 * the target's text and to images of it, and look like the image. Where the patch lies and the steps are ours: the paper leaves the place
 * open and takes 1,000 steps at 0.01. The third step, tuning, is a repair.
 */
import { allOf, oneHot } from "../engine/objectives.ts";
import { type PixelLoss, pixelGradients } from "../engine/pixel-gradients.ts";
import { adam } from "../optim/adam.ts";
import type { Feeds } from "../runtime/executor.ts";
import { random } from "../tensor/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { descend, named, pickedAt, rowsOf, type Stamped } from "./descend.ts";
import type { Detector, DetectorInput, Finding } from "./detector.ts";
import { headed } from "./fitted.ts";
import { colorMask } from "./forms/color-mask.ts";
import type { Form } from "./forms/form.ts";
import { patchAnywhere } from "./forms/patch-anywhere.ts";
import { grown } from "./growth.ts";
import { asrOf, stampedAnswers } from "./invert.ts";
import { textGuided, towardTargets } from "./losses.ts";

const settings = {
  guess: { area: 0.03, steps: 60, images: 24 },
  invert: { steps: 120, images: 16, temperature: 0.07, near: 0.5, mask: 0.01 },
};

export const inverTune: Detector = {
  name: "invertune",
  title: "InverTune",
  about: "the class that a small patch leads images to when it may choose, and a mask towards its text",
  statistic: "growth of that class's share of the answers under a patch of 3 % of the image",
  paper: "arXiv 2506.12411",
  needs: ["class names"],
  cost({ fit, held }) {
    const { guess, invert } = settings;
    const gradients = guess.steps * Math.min(fit, guess.images) + invert.steps * Math.min(fit, invert.images);
    return { gradients, encoded: 2 * held + fit };
  },
  run,
};

async function run(input: DetectorInput): Promise<Finding> {
  const { fit, held } = input;
  const { guess, invert } = settings;
  const suspect = headed(input.suspect);
  const { clip, weights, head } = suspect;
  const S = clip.config.vision.imageSize;
  const answers = fit.answers as Int32Array;
  const [classes] = head.shape;
  let done = 0;
  const report = (count: number) => input.report?.((done += count));

  const patch = patchAnywhere(S, Math.max(2, Math.round(Math.sqrt(guess.area) * S)));
  const leading = await minimise(input, towardTargets, patch, "guess", guess, report, (picked) => {
    const own = oneHot(Int32Array.from(picked, (i) => answers[i]), classes); // biome-ignore format: one line
    return { head, targets: { ...own, data: own.data.map((value) => -value) } };
  });
  const [{ label, statistic }] = await grown(input, [leading]);

  const form = colorMask(S, invert.mask);
  const ofTarget = Array.from(answers, (_, i) => i).filter((i) => answers[i] === label);
  const features = await meanEmbedding(input, ofTarget);
  const near: Tensor = { shape: [], data: Float32Array.of(ofTarget.length > 0 ? invert.near : 0) };
  const found = await minimise(input, textGuided, form, "invert", invert, report, (picked) => ({
    texts: directions(head, invert.temperature),
    targets: allOf(label, picked.length, classes),
    features,
    near,
    clean: rowsOf(fit.pixels, picked),
  }));
  const [after] = await stampedAnswers({ clip, weights, head }, [found], held);
  const asr = asrOf(label, held.answers as Int32Array, after);
  const share = found.parameters.subarray(0, 3 * S * S).reduce((sum, value) => sum + value, 0) / (3 * S * S);
  return {
    statistic,
    suspects: [{ label, statistic, asr, trigger: form.trigger(found.parameters) }],
    facts: { mask: share, asr: asr.value || 0, ofTarget: ofTarget.length },
  };
}

/** One trigger under a loss whose feeds follow from the images picked; each step's gradient is the loss's, a sum or a mean as it is. */
async function minimise(
  { suspect: { clip, weights }, fit, seed, signal }: DetectorInput,
  loss: PixelLoss,
  form: Form,
  name: string,
  { steps, images }: { readonly steps: number; readonly images: number },
  report: (count: number) => void,
  feeds: (picked: readonly number[]) => Feeds,
): Promise<Stamped> {
  const engine = pixelGradients(clip, weights, loss);
  const parameters = form.start(random(seed, "invertune", name));
  const optimizer = adam();
  const state = optimizer.init(named(parameters));
  try {
    for (let step = 0; step < steps; step++) {
      signal?.throwIfAborted();
      const picked = pickedAt(fit.pixels.shape[0], images, seed, "invertune", name, step);
      const [gradient] = (await descend(engine, [{ form, parameters }], fit.pixels, picked, feeds(picked))).gradients;
      form.penalty?.(parameters, gradient);
      optimizer.update(named(parameters), named(gradient), state, form.lr);
      form.project?.(parameters);
      report(picked.length);
    }
  } finally {
    await engine.release();
  }
  return { form, parameters };
}

/** Unit directions of a head [C, E] over a temperature. */
function directions({ shape, data }: Tensor, temperature: number): Tensor {
  const width = shape[1];
  const norms = Array.from({ length: shape[0] }, (_, c) => Math.hypot(...data.subarray(c * width, (c + 1) * width)));
  return { shape, data: data.map((value, i) => value / norms[Math.floor(i / width)] / temperature) };
}

/** Mean embedding [E] of some images; zeros of none. */
async function meanEmbedding(
  { suspect: { clip, weights }, fit }: DetectorInput,
  picked: readonly number[],
): Promise<Tensor> {
  const mean = new Float32Array(clip.config.embedDim);
  for (const i of picked) {
    const { data } = await clip.encoder.images(weights, rowsOf(fit.pixels, [i]));
    for (let e = 0; e < mean.length; e++) mean[e] += data[e] / picked.length;
  }
  return { shape: [mean.length], data: mean };
}
