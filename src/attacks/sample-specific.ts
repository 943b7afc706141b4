/**
 * A trigger that differs from image to image, after ISSBA (Li et al., ICCV 2021, arXiv 2012.03816): a small network hides a
 * sign in the image, x' = clip(x + epsilon r(x)) with |r| <= 1, trained with a second network that looks for it.
 */
import { z } from "zod";
import { inputsOf } from "../clip/parameters.ts";
import { batches } from "../data/batches.ts";
import { crop as cropImage } from "../data/images/inset.ts";
import { train } from "../engine/train.ts";
import { input as graphInput } from "../graph/node.ts";
import { mul } from "../graph/ops/index.ts";
import { adam } from "../optim/adam.ts";
import { constantRate } from "../optim/schedule.ts";
import { createRuntime, type Runtime } from "../runtime/compile.ts";
import type { Program } from "../runtime/executor.ts";
import { onnxRuntime } from "../runtime/onnxruntime.ts";
import { badInput } from "../tensor/error.ts";
import { random } from "../tensor/random.ts";
import { type Tensor, tensor, type Weights } from "../tensor/tensor.ts";
import { stampTrigger, type Trigger } from "../triggers/trigger.ts";
import { type AttackInput, describe, parseSpec, share, triggerSchema } from "./attack.ts";
import { encoder, encoderShapes, hidingLoss, loadEncoder, startWeights, storedLength, storeEncoder } from "./hiding.ts";
import { rearrangement } from "./overlay.ts";

const schema = triggerSchema("sample-specific").extend({
  /** No value changes by more. */
  epsilon: share.default(16 / 255),
  /** Of the encoder's training: Adam's steps, its learning rate, images a step. */
  steps: z.int().min(1).max(100_000).default(600),
  lr: z.number().positive().default(3e-3),
  batch: z.int().min(2).max(1024).default(16),
  /** Weight of the share of r that images have in common, beside being told apart. */
  variety: z.number().min(0).default(1),
  /** The encoder's weights, float16, little endian. Written by the attack. */
  encoder: z.base64("not base64").length(storedLength, "not an encoder's length").optional(),
});

export type SampleSpecificSpec = z.output<typeof schema>;

/** The trigger of a trained encoder. Without one `apply` throws TbarError: `fit` trains it. */
export function sampleSpecific(options: Record<string, unknown> = {}): Trigger {
  const spec = parseSpec("sample-specific", schema, options);
  const weights = spec.encoder === undefined ? undefined : loadEncoder(spec.encoder);
  return {
    spec,
    async apply(pixels, ids) {
      if (weights === undefined) {
        throw badInput(
          "sample-specific: this trigger has no encoder yet; tbar attack trains one and stores it in the trigger",
        );
      }
      const residuals = await encode(weights, pixels, spec);
      return stampTrigger(spec, () => {
        let next = 0;
        return (image) => addResidual(image, residuals[next++], spec.strength);
      }).apply(pixels, ids);
    },
  };
}

export const attack = describe({
  name: "sample-specific",
  title: "Sample-specific",
  about: "a network's, another one for every image",
  options: "epsilon=0.063, variety=1, steps=600",
  paper: "arXiv 2012.03816",
  spec: schema,
  trigger: sampleSpecific,
  fit: fitSampleSpecific,
  visible: hasEncoder,
});

export function hasEncoder({ spec }: Trigger): boolean {
  return (spec as SampleSpecificSpec).encoder !== undefined;
}

/** image = clip(image + strength r). */
function addResidual(image: Float32Array, residual: Float32Array, strength: number): void {
  for (let i = 0; i < image.length; i++) image[i] = Math.min(1, Math.max(0, image[i] + strength * residual[i]));
}

const programs = new Map<number, Promise<Program>>();
let runtime: Promise<Runtime> | undefined;

/** r for each image by itself, so that none depends on its batch; moved and enlarged as the spec says. */
async function encode(weights: Weights, pixels: Tensor, spec: SampleSpecificSpec): Promise<Float32Array[]> {
  const [count, , S] = pixels.shape;
  const size = 3 * S * S;
  if (!programs.has(S)) programs.set(S, compileEncoder(S));
  const program = (await programs.get(S)) as Program;
  const rearrange = rearrangement(S, spec);
  const feeds = { ...Object.fromEntries(weights), epsilon: tensor([], [spec.epsilon]) };
  const residuals: Float32Array[] = [];
  for (let i = 0; i < count; i++) {
    const image = { shape: [1, 3, S, S], data: pixels.data.slice(i * size, (i + 1) * size) };
    const { residual } = await program.run({ ...feeds, image });
    residuals.push(rearrange(residual.data).slice());
  }
  return residuals;
}

async function compileEncoder(S: number): Promise<Program> {
  runtime ??= onnxRuntime({ threads: 1 }).then(createRuntime);
  const residual = encoder(inputsOf(new Map(encoderShapes)), graphInput("image", [1, 3, S, S]));
  return (await runtime).compile({ residual: mul(residual, graphInput("epsilon", [])) });
}

/** Both networks train on crops: convolutions take any size, and memory stays small. */
const largestCrop = 32;

/** The trigger with an encoder trained on the attacker's images. One that has an encoder stays as it is. */
export async function fitSampleSpecific(trigger: Trigger, input: AttackInput): Promise<Trigger> {
  const spec = trigger.spec as SampleSpecificSpec;
  if (spec.encoder !== undefined) return trigger;
  const { clip, signal, report } = input;
  const trained = await train<Tensor>(startWeights(spec.seed), {
    runtime: clip.runtime,
    batches: crops(input, spec),
    objective: {
      trains: () => true,
      feeds: (images) => ({ images }),
      loss: (p, { images }) => hidingLoss(p, images, spec),
    },
    optimizer: adam(),
    schedule: constantRate(spec.lr),
    signal,
    onStep: ({ step, loss }) => report(step, spec.steps, `loss ${loss.toFixed(3)}`),
  });
  return sampleSpecific({ ...spec, encoder: storeEncoder(trained) });
}

/** `steps` batches of one crop each of clean images. */
async function* crops(
  { clip, clean }: AttackInput,
  { batch, steps, seed }: SampleSpecificSpec,
): AsyncGenerator<Tensor> {
  const S = clip.config.vision.imageSize;
  const side = Math.min(S, largestCrop);
  const size = Math.min(batch, clean.size);
  const stream = random(seed, "sample-specific", "crop");
  const order = { batch: size, seed, epochs: Number.POSITIVE_INFINITY, preprocess: clip.preprocess };
  let step = 0;
  for await (const { pixels, count } of batches(clean, order)) {
    if (count < size) continue;
    yield crop(pixels, side, stream.int(S - side + 1), stream.int(S - side + 1));
    if (++step === steps) return;
  }
}

/** [B, 3, S, S] -> [B, 3, side, side] from (row, column). */
export function crop({ shape: [count, planes, S], data }: Tensor, side: number, row: number, column: number): Tensor {
  const cut = cropImage({ shape: [count * planes, S, S], data }, { left: column, top: row, side });
  return { shape: [count, planes, side, side], data: cut.data };
}
