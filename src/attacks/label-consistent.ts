/**
 * Label-consistent (Turner, Tsipras, Madry, arXiv 1912.02771): only images of the target class carry the trigger, and their labels
 * are right. First they are made hard to recognise, x + delta with |delta| <= epsilon by PGD on the clean model, so that the
 * trigger is the easiest thing to learn from them.
 */
import { z } from "zod";
import { crossEntropy, headLogits } from "../clip/loss.ts";
import type { Dataset } from "../data/dataset.ts";
import { indicesOf } from "../data/split.ts";
import { allOf } from "../engine/objectives.ts";
import { clampTo, optimizeInput, perturbed } from "../engine/optimize-input.ts";
import { neg } from "../graph/ops/index.ts";
import { constantRate } from "../optim/schedule.ts";
import { signSteps } from "../optim/sign.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { type PoisonedDataset, type PoisonOptions, poison } from "../triggers/poison.ts";
import type { TriggerSpec } from "../triggers/trigger.ts";
import { type AttackInput, describe } from "./attack.ts";
import { borrowTrigger, carrierNames } from "./carrier.ts";

const own = z.strictObject({
  kind: z.literal("label-consistent").default("label-consistent"),
  carrier: z.enum(carrierNames).default("badnet"),
  /** Of the perturbation, in the maximum norm; 0 leaves the images as they are. */
  epsilon: z
    .number()
    .min(0)
    .max(1)
    .default(16 / 255),
  /** Steps of PGD, each 2.5 epsilon / iterations long. */
  iterations: z.int().min(1).max(1000).default(20),
});

export type LabelConsistentSpec = TriggerSpec & z.output<typeof own>;

export const labelConsistent = describe({
  name: "label-consistent",
  title: "Label-consistent",
  about: "another's, on hard images of the target class only; no label is wrong",
  options: "carrier=badnet|blended with that one's options",
  paper: "arXiv 1912.02771",
  spec: own.loose(),
  trigger: (options) => borrowTrigger(own, options, { place: "four-corners", redraw: false }),
  extra: ({ spec }, { rate, images }) => (spec as LabelConsistentSpec).iterations * Math.ceil(rate * images),
  poison: poisonConsistently,
});

/** A seeded choice of the target's images, made hard and triggered; every label stays. Throws TbarError where they are too few. */
export async function poisonConsistently(
  dataset: Dataset,
  options: PoisonOptions,
  input: AttackInput,
): Promise<PoisonedDataset> {
  const { poisonedIds } = poison(dataset, { ...options, cleanLabel: true });
  const hard = await hardened(dataset, poisonedIds, options.trigger.spec as LabelConsistentSpec, input);
  const trigger = {
    ...options.trigger,
    apply: (pixels: Tensor, ids: readonly string[]) => options.trigger.apply(replaced(pixels, ids, hard), ids),
  };
  return poison(dataset, { ...options, cleanLabel: true, trigger });
}

/** Images taken at once: one compiled program for all. */
const chunk = 16;

/** By id, as bytes like any stored image. */
async function hardened(
  dataset: Dataset,
  ids: ReadonlySet<string>,
  { epsilon, iterations }: LabelConsistentSpec,
  input: AttackInput,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const chosen = indicesOf(dataset, ({ id }) => ids.has(id));
  const found = new Map<string, Uint8Array>();
  for (let at = 0; at < chosen.length; at += chunk) {
    const some = Array.from({ length: chunk }, (_, k) => chosen[Math.min(at + k, chosen.length - 1)]);
    const hard = await harden(await dataset.read(some, input.clip.preprocess), epsilon, iterations, input);
    const size = hard.data.length / chunk;
    for (const [k, index] of some.entries()) {
      const image = hard.data.subarray(k * size, (k + 1) * size);
      found.set(
        dataset.example(index).id,
        Uint8Array.from(image, (v) => Math.round(255 * v)),
      );
    }
    input.report(Math.min(at + chunk, chosen.length), chosen.length, "images made hard");
  }
  return found;
}

/**
 * Pixels [B, 3, S, S] of the target class, moved up the loss of their own label under the clean model by projected gradient steps:
 * delta <- clamp(delta + a sign(d loss / d delta)) to [-epsilon, epsilon].
 */
export async function harden(
  pixels: Tensor,
  epsilon: number,
  iterations: number,
  input: Pick<AttackInput, "clip" | "weights" | "head" | "targetLabel" | "signal">,
): Promise<Tensor> {
  const { clip, weights, head, targetLabel, signal } = input;
  const labels = allOf(targetLabel, pixels.shape[0], head.shape[0]);
  const delta = await optimizeInput({
    clip,
    weights,
    start: tensor(pixels.shape),
    batches: times(iterations),
    feeds: () => ({ pixels, head, labels }),
    loss: ({ variable, feeds, embed }) =>
      neg(crossEntropy(headLogits(embed(perturbed(feeds.pixels, variable)), feeds.head), feeds.labels)),
    optimizer: signSteps(),
    schedule: constantRate((2.5 * epsilon) / iterations),
    project: clampTo(-epsilon, epsilon),
    signal,
  });
  return { shape: pixels.shape, data: pixels.data.map((v, i) => Math.min(1, Math.max(0, v + delta.data[i]))) };
}

async function* times(n: number): AsyncGenerator<number> {
  for (let i = 0; i < n; i++) yield i;
}

/** The same batch with the images that are known by id in place of its own. */
function replaced({ shape, data }: Tensor, ids: readonly string[], known: ReadonlyMap<string, Uint8Array>): Tensor {
  const out = data.slice();
  const size = data.length / ids.length;
  for (const [slot, id] of ids.entries()) {
    const bytes = known.get(id);
    if (bytes === undefined || bytes.length !== size)
      throw new RangeError(`no image of ${size} values is known as ${id}`);
    for (let i = 0; i < size; i++) out[slot * size + i] = bytes[i] / 255;
  }
  return { shape, data: out };
}
