/**
 * BTI-DBF (Xu et al., ICLR 2024), "towards reliable backdoor trigger inversion by decoupling benign features", on a CLIP's image embeddings
 * and its zero-shot head. First a mask over features: those inside classify, those outside do not. Then what changes images so that the
 * features outside move while those inside stay: with a backdoor they move along it, and its target is the class that most images turn to.
 * Labels are the model's own answers. The generator is ours: one bounded perturbation in place of a U-Net, so the pixels' own bound holds
 * always.
 */
import { crossEntropy } from "../clip/loss.ts";
import { concatRows } from "../engine/encoder.ts";
import { oneHot } from "../engine/objectives.ts";
import { pixelGradients } from "../engine/pixel-gradients.ts";
import { grad } from "../graph/grad.ts";
import { input as given, scalar } from "../graph/node.ts";
import { add, linear, mul, scale, sub, tanh } from "../graph/ops/index.ts";
import { adam } from "../optim/adam.ts";
import type { Runtime } from "../runtime/compile.ts";
import { random } from "../tensor/random.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { descend, named, pickedAt, rowsOf } from "./descend.ts";
import type { Detector, DetectorInput, Finding } from "./detector.ts";
import { headed } from "./fitted.ts";
import { delta } from "./forms/delta.ts";
import { grown } from "./growth.ts";
import { otherFeatures } from "./losses.ts";

const settings = {
  /** In the paper 20 rounds over the images. */
  features: { lr: 0.01, steps: 200 },
  invert: { epsilon: 16 / 255, lr: 4 / 255, steps: 40, images: 32, starts: 2 },
  /** Of keeping benign features; on unit-norm embeddings, where the paper's 0.01 is on features of any size. */
  keep: 1,
};

export const btiDbf: Detector = {
  name: "bti-dbf",
  title: "BTI-DBF",
  about: "features that do not classify are moved, those that do are kept: where do images go?",
  statistic: "highest growth of a class's share of the answers under the perturbation that does so",
  paper: "ICLR 2024",
  needs: ["class names"],
  cost: ({ fit, held }) => ({
    gradients: settings.invert.starts * settings.invert.steps * Math.min(fit, settings.invert.images),
    encoded: fit + settings.invert.starts * held,
  }),
  run,
};

/**
 * The mask [E] of benign features: m = (tanh(a) + 1) / 2 that minimises CE(m f) - CE((1 - m) f) of embeddings f [N, E] to `answers` under
 * `head` [C, E].
 */
export async function benignFeatures(
  runtime: Runtime,
  embeddings: Tensor,
  head: Tensor,
  answers: Int32Array,
): Promise<Tensor> {
  const { lr, steps } = settings.features;
  const width = embeddings.shape[1];
  const targets = oneHot(answers, head.shape[0]);
  const [a, f, h, t] = [given("a", [width]), given("f", embeddings.shape), given("h", head.shape), given("t", targets.shape)]; // biome-ignore format: one line
  const mask = scale(add(tanh(a), scalar(1)), 0.5);
  const inside = crossEntropy(linear(mul(f, mask), h), t);
  const outside = crossEntropy(linear(mul(f, sub(scalar(1), mask)), h), t);
  const loss = sub(inside, outside);
  const apart = runtime.apart();
  try {
    const program = await apart.compile({ gradient: grad(loss, [a])[0], mask });
    const parameters = tensor([width]);
    const optimizer = adam();
    const state = optimizer.init(named(parameters.data));
    const feeds = { f: embeddings, h: head, t: targets };
    for (let step = 0; step < steps; step++) {
      const { gradient } = await program.run({ a: parameters, ...feeds });
      optimizer.update(named(parameters.data), named(gradient.data), state, lr);
    }
    return (await program.run({ a: parameters, ...feeds })).mask;
  } finally {
    await apart.release();
  }
}

async function run(input: DetectorInput): Promise<Finding> {
  const { fit, seed, signal, report } = input;
  const { epsilon, lr, steps, images, starts } = settings.invert;
  const suspect = headed(input.suspect);
  const { clip, weights, head } = suspect;
  const form = delta(clip.config.vision.imageSize, epsilon);
  const embeddings = await embedded(input);
  const benign = await benignFeatures(clip.runtime, embeddings, head, fit.answers as Int32Array);
  const [count] = embeddings.shape;
  const weight: Tensor = { shape: [], data: Float32Array.of(settings.keep) };
  const engine = pixelGradients(clip, weights, otherFeatures);
  const optimizer = adam();
  const found = [];
  let [done, kept, others] = [0, 0, 0];
  try {
    for (let start = 0; start < starts; start++) {
      const parameters = form.start(random(seed, "bti-dbf", start));
      const state = optimizer.init(named(parameters));
      for (let step = 0; step < steps; step++) {
        signal?.throwIfAborted();
        const picked = pickedAt(count, images, seed, "bti-dbf", start, step);
        const feeds = { clean: rowsOf(embeddings, picked), benign, weight };
        const { outputs, gradients } = await descend(engine, [{ form, parameters }], fit.pixels, picked, feeds);
        optimizer.update(named(parameters), named(gradients[0]), state, lr);
        form.project?.(parameters);
        [kept, others] = [outputs.kept.data[0] / picked.length, outputs.others.data[0] / picked.length];
        report?.((done += picked.length));
      }
      found.push({ form, parameters });
    }
  } finally {
    await engine.release();
  }
  const suspects = await grown(input, found);
  const share = benign.data.reduce((sum, value) => sum + value, 0) / benign.data.length;
  return { statistic: suspects[0].statistic, suspects, facts: { benign: share, kept, moved: others } };
}

/** Embeddings [N, E] of the images to fit on, as they are. */
async function embedded({ suspect: { clip, weights }, fit: { pixels } }: DetectorInput): Promise<Tensor> {
  const [count] = pixels.shape;
  const size = pixels.data.length / count;
  const parts: Tensor[] = [];
  for (let at = 0; at < count; at += 64) {
    const rows = Math.min(64, count - at);
    const shape = [rows, ...pixels.shape.slice(1)];
    parts.push(
      await clip.encoder.images(weights, { shape, data: pixels.data.subarray(at * size, (at + rows) * size) }),
    );
  }
  return concatRows(parts);
}
