/** Inversion: parameters of a trigger that send images to a class, for many classes and forms side by side in one batch. */

import { inner } from "../arithmetic/task-vector.ts";
import { concatRows } from "../engine/encoder.ts";
import { oneHot } from "../engine/objectives.ts";
import { pixelGradients } from "../engine/pixel-gradients.ts";
import { classify } from "../engine/zero-shot.ts";
import { adam } from "../optim/adam.ts";
import type { OptimizerState } from "../optim/optimizer.ts";
import { type Rate, rate } from "../stats/rate.ts";
import { random } from "../tensor/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { descend, groups, named, rows, type Stamped } from "./descend.ts";
import type { Images, Subject } from "./detector.ts";
import type { Form } from "./forms/form.ts";
import { towardTargets } from "./losses.ts";

/** A trigger that is being fitted. */
export interface Candidate extends Stamped {
  /** Class that it shall lead to. */
  readonly label: number;
  readonly state: OptimizerState;
}

const optimizer = adam();

/** The beginning of a fit; the start follows from the path of the random stream. */
export function candidate(form: Form, label: number, ...path: readonly (number | string)[]): Candidate {
  const parameters = form.start(random(...path));
  return { form, label, parameters, state: optimizer.init(named(parameters)) };
}

export interface Fitting {
  /** Steps to take now, out of `total`: the learning rate falls over the second half of these. */
  readonly steps: number;
  readonly total?: number;
  /** Images a step for each candidate. */
  readonly each: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
  /** Gradients taken since the last call. */
  readonly report?: (gradients: number) => void;
}

export interface Inversion {
  /**
   * Minimises the cross-entropy of stamped images to each candidate's class, under the head; its parameters are changed in place. Every
   * candidate sees the same images in the same order.
   */
  fit(candidates: readonly Candidate[], images: Images, fitting: Fitting): Promise<void>;
  release(): Promise<void>;
}

export function inversion({ clip, weights, head }: Subject & { readonly head: Tensor }): Inversion {
  const [classes] = head.shape;
  const engine = pixelGradients(clip, weights, towardTargets);
  const stepOn = async (some: readonly Candidate[], { pixels }: Images, picked: readonly number[], lr: number) => {
    const labels = Int32Array.from(some.flatMap(({ label }) => picked.map(() => label)));
    const { gradients } = await descend(engine, some, pixels, picked, { head, targets: oneHot(labels, classes) });
    for (const [k, { form, parameters, state }] of some.entries()) {
      const gradient = gradients[k].map((value) => value / picked.length);
      form.penalty?.(parameters, gradient);
      optimizer.update(named(parameters), named(gradient), state, lr * form.lr);
      form.project?.(parameters);
    }
  };
  return {
    async fit(candidates, images, { steps, total = steps, each, seed, signal, report }) {
      for (const some of groups(candidates, each)) {
        const begun = some[0].state.step;
        for (let s = begun; s < begun + steps; s++) {
          signal?.throwIfAborted();
          const stream = random(seed, "inversion", s);
          const picked = Array.from({ length: each }, () => stream.int(images.pixels.shape[0]));
          await stepOn(some, images, picked, Math.min(1, Math.max(0.05, 2 - (2 * s) / total)));
          report?.(some.length * each);
        }
      }
    },
    release: engine.release,
  };
}

/** Unit-norm embeddings [n, E] of the first `count` images with each trigger on. */
export async function stampedEmbeddings(
  { clip, weights }: Pick<Subject, "clip" | "weights">,
  triggers: readonly Stamped[],
  { pixels }: Images,
  count = pixels.shape[0],
): Promise<readonly Tensor[]> {
  const S = clip.config.vision.imageSize;
  const size = 3 * S * S;
  const n = Math.min(count, pixels.shape[0]);
  const all = triggers.length * n;
  const parts: Tensor[] = [];
  const stamped = new Float32Array(Math.min(rows, all) * size);
  for (let at = 0; at < all; at += rows) {
    const count = Math.min(rows, all - at);
    for (let row = 0; row < count; row++) {
      const { form, parameters } = triggers[Math.floor((at + row) / n)];
      const image = (at + row) % n;
      form.stamp(
        parameters,
        pixels.data.subarray(image * size, (image + 1) * size),
        stamped.subarray(row * size, (row + 1) * size),
      );
    }
    parts.push(
      await clip.encoder.images(weights, { shape: [count, 3, S, S], data: stamped.subarray(0, count * size) }),
    );
  }
  const width = parts[0]?.shape[1] ?? 0;
  const { data } = concatRows(parts);
  return triggers.map((_, i) => ({ shape: [n, width], data: data.subarray(i * n * width, (i + 1) * n * width) }));
}

/** What the model answers to the first `count` images with each trigger on. */
export async function stampedAnswers(
  subject: Subject & { readonly head: Tensor },
  triggers: readonly Stamped[],
  images: Images,
  count?: number,
): Promise<readonly Int32Array[]> {
  return (await stampedEmbeddings(subject, triggers, images, count)).map((one) => classify(one, subject.head));
}

/** What the model answers to images as they are. */
export async function answersTo(subject: Subject & { readonly head: Tensor }, pixels: Tensor): Promise<Int32Array> {
  const [answers] = await stampedAnswers(subject, [nothing], { pixels });
  return answers;
}

/** A trigger that leaves an image as it is. */
export const nothing = {
  form: { stamp: (_: Float32Array, image: Float32Array, out: Float32Array) => out.set(image) } as Form,
  parameters: new Float32Array(0),
};

/** Mean probability of a class over images that were not taken for it, by their embeddings [n, E] with the trigger on; 0 where there are none. */
export function meanProbability(
  label: number,
  before: Int32Array,
  { shape: [n, width], data }: Tensor,
  head: Tensor,
): number {
  const [classes] = head.shape;
  let [sum, count] = [0, 0];
  for (let k = 0; k < n; k++) {
    if (before[k] === label) continue;
    count++;
    const image = data.subarray(k * width, (k + 1) * width);
    const logits = Array.from({ length: classes }, (_, c) =>
      inner(image, head.data.subarray(c * width, (c + 1) * width)),
    );
    const most = Math.max(...logits);
    sum += Math.exp(logits[label] - most) / logits.reduce((total, logit) => total + Math.exp(logit - most), 0);
  }
  return count === 0 ? 0 : sum / count;
}

/** Of the images that were not taken for the class without the trigger, those that are with it. */
export function asrOf(label: number, before: Int32Array, after: Int32Array): Rate {
  let [hits, n] = [0, 0];
  for (let k = 0; k < after.length; k++) {
    if (before[k] === label) continue;
    n++;
    if (after[k] === label) hits++;
  }
  return rate(hits, n);
}
