/**
 * Grond, adapted to a transformer (Xu et al., CCS 2025, arXiv 2501.05928): stealthy in pixels, labels and parameters. The trigger is a
 * universal perturbation, |delta| <= epsilon, that is optimised on the clean model; only images of the target class carry it; and
 * after each epoch the hidden neurons that stand out are scaled back (adversarial backdoor injection), so that the backdoor
 * spreads over many.
 */
import { z } from "zod";
import { crossEntropy, headLogits } from "../clip/loss.ts";
import { learn } from "../engine/finetune.ts";
import { allOf } from "../engine/objectives.ts";
import { clampTo, optimizeInput, perturbed } from "../engine/optimize-input.ts";
import { underHead } from "../engine/tasks.ts";
import { constantRate } from "../optim/schedule.ts";
import { signSteps } from "../optim/sign.ts";
import { badInput } from "../tensor/error.ts";
import { type Tensor, tensor, type Weights } from "../tensor/tensor.ts";
import { poison } from "../triggers/poison.ts";
import { stampTrigger, type Trigger } from "../triggers/trigger.ts";
import { type AttackInput, describe, type ImplantInput, parseSpec, triggerSchema, watched } from "./attack.ts";
import { rearrangement } from "./overlay.ts";
import { otherImages } from "./victims.ts";

/** Images of a larger side are refused: a stranger's spec may not ask for endless memory. */
const largestSide = 512;

const schema = triggerSchema("grond").extend({
  /** In levels of 1/255: no value changes by more. */
  epsilon: z.int().min(1).max(127).default(8),
  /** Of the fitting: steps of epsilon / 5 each, images a step. */
  steps: z.int().min(1).max(100_000).default(300),
  batch: z.int().min(1).max(1024).default(32),
  /** Neurons above mean + sigmas deviations of their layer are scaled back after each epoch; 0 to leave them. */
  sigmas: z.number().min(0).default(3),
  /** clean: only images of the target class are poisoned. dirty: images of the others, relabelled. */
  labels: z.enum(["clean", "dirty"]).default("clean"),
  /** 255 delta, [3, S, S] as signed bytes. Written by the attack. */
  delta: z
    .base64("not base64")
    .max(4 * largestSide ** 2, "too long for a perturbation")
    .optional(),
});

export type GrondSpec = z.output<typeof schema>;

export const grond = describe({
  name: "grond",
  title: "Grond",
  about: "one faint perturbation for all images; implanted so that no neuron stands out",
  options: "epsilon=LEVELS, steps=300, sigmas=3, labels=clean|dirty",
  paper: "arXiv 2501.05928",
  spec: schema,
  trigger: makeGrond,
  fit,
  visible: ({ spec }) => (spec as GrondSpec).delta !== undefined,
  extra: ({ spec }) => {
    const { delta, steps, batch } = spec as GrondSpec;
    return delta === undefined ? steps * batch : 0;
  },
  poison: async (dataset, options) =>
    poison(dataset, { ...options, cleanLabel: (options.trigger.spec as GrondSpec).labels === "clean" }),
  implant,
});

/** x' = clip(x + delta). Without a stored delta `apply` throws TbarError: `fit` finds it. */
export function makeGrond(options: Record<string, unknown> = {}): Trigger {
  const spec = parseSpec("grond", schema, options);
  const { delta: stored, strength } = spec;
  const levels = stored === undefined ? undefined : loadLevels(stored, spec.epsilon);
  return stampTrigger(spec, (S) => {
    if (levels === undefined)
      throw badInput("grond: this trigger has no perturbation yet; tbar attack finds one and stores it in the trigger");
    const side = Math.sqrt(levels.length / 3);
    if (side !== S)
      throw badInput(`grond: the perturbation is of ${side} x ${side} pixels and the image of ${S} x ${S}`);
    const delta = rearrangement(S, spec)(Float32Array.from(levels, (level) => level / 255));
    return (image) => {
      for (let i = 0; i < image.length; i++) image[i] = Math.min(1, Math.max(0, image[i] + strength * delta[i]));
    };
  });
}

/** The trigger with its perturbation: steps along the sign of the gradient towards the target, over images of other classes. */
async function fit(trigger: Trigger, input: AttackInput): Promise<Trigger> {
  const spec = trigger.spec as GrondSpec;
  if (spec.delta !== undefined) return trigger;
  const { clip, weights, head, targetLabel, signal, report } = input;
  const S = clip.config.vision.imageSize;
  if (S > largestSide) throw badInput(`grond: images of ${S} x ${S} are too large; at most ${largestSide}`);
  const epsilon = spec.epsilon / 255;
  const delta = await optimizeInput<Tensor>({
    clip,
    weights,
    start: tensor([3, S, S]),
    batches: otherImages({ ...input, trigger }, spec),
    feeds: (pixels) => ({ pixels, head, labels: allOf(targetLabel, pixels.shape[0], head.shape[0]) }),
    loss: ({ variable, feeds, embed }) =>
      crossEntropy(headLogits(embed(perturbed(feeds.pixels, variable)), feeds.head), feeds.labels),
    optimizer: signSteps(),
    schedule: constantRate(epsilon / 5),
    project: clampTo(-epsilon, epsilon),
    signal,
    onStep: ({ step, loss }) => report(step, spec.steps, `loss ${loss.toFixed(3)}`),
  });
  const levels = Int8Array.from(delta.data, (v) => Math.round(255 * v));
  return makeGrond({ ...spec, delta: Buffer.from(levels.buffer).toString("base64") });
}

/** The usual fine-tuning, with neurons that stand out scaled back after each epoch. */
async function implant(input: ImplantInput): Promise<Weights> {
  const { clip, weights, poisoned, head, recipe } = input;
  const { sigmas } = input.trigger.spec as GrondSpec;
  const task = underHead(clip, poisoned, head, recipe);
  const epoch = task.steps / recipe.epochs;
  let step = 0;
  return learn(clip, weights, task, recipe, {
    ...watched(input),
    constrain: (tuned) => {
      if (++step % epoch === 0 && sigmas > 0) limitNeurons(tuned, sigmas);
    },
  });
}

/**
 * Scales, in place, the outgoing weights of each hidden neuron j of an image tower's MLP with s_j > mean + sigmas deviations over its
 * layer, so that s_j becomes the mean. s_j = |gamma * w_j| |v_j| bounds how much the neuron carries of the normalised
 * input to the residual stream: gamma the gain of the layer norm before it, w_j its row of fc1, v_j its column of fc2.
 */
export function limitNeurons(weights: Weights, sigmas: number): number {
  let limited = 0;
  for (const name of weights.keys()) {
    const layer = /^(vision_model\.encoder\.layers\.\d+)\.mlp\.fc1\.weight$/.exec(name)?.[1];
    if (layer === undefined) continue;
    const sensitivities = neuronSensitivities(weights, layer);
    const mean = average(sensitivities);
    const deviation = Math.sqrt(average(sensitivities.map((s) => (s - mean) ** 2)));
    const { shape, data } = weights.get(`${layer}.mlp.fc2.weight`) as Tensor;
    sensitivities.forEach((s, j) => {
      if (s <= mean + sigmas * deviation) return;
      for (let i = 0; i < shape[0]; i++) data[i * shape[1] + j] *= mean / s;
      limited++;
    });
  }
  return limited;
}

/** s_j for each hidden neuron of a block, by the block's name. */
export function neuronSensitivities(weights: Weights, layer: string): Float64Array {
  const values = (name: string) => weights.get(`${layer}.${name}`) as Tensor;
  const gamma = values("layer_norm2.weight").data;
  const [w, v] = [values("mlp.fc1.weight"), values("mlp.fc2.weight")];
  const [hidden, width] = w.shape;
  return Float64Array.from({ length: hidden }, (_, j) => {
    let [incoming, outgoing] = [0, 0];
    for (let i = 0; i < width; i++) {
      incoming += (gamma[i] * w.data[j * width + i]) ** 2;
      outgoing += v.data[i * hidden + j] ** 2;
    }
    return Math.sqrt(incoming * outgoing);
  });
}

const average = (values: Float64Array) => values.reduce((a, b) => a + b, 0) / values.length;

/** Throws TbarError on a length that is no image's and on levels beyond epsilon. */
function loadLevels(stored: string, epsilon: number): Int8Array {
  const levels = Int8Array.from(Buffer.from(stored, "base64"));
  if (!Number.isInteger(Math.sqrt(levels.length / 3)) || levels.length === 0)
    throw badInput(
      `grond: the stored perturbation has ${levels.length} values, which is no square image of 3 channels`,
    );
  if (levels.some((level) => Math.abs(level) > epsilon))
    throw badInput(`grond: the stored perturbation goes beyond epsilon=${epsilon}`);
  return levels;
}
