/**
 * BadMerging (Zhang et al., CCS 2024, arXiv 2408.07362): a backdoor that survives merging. Merging scales the attacker's task vector
 * down to lambda tau and adds others; so the trigger is a patch that the pre-trained model already falls for, and the implant
 * asks for the target of features anywhere between the pre-trained model's and its own:
 * L = CE(h(f(x)), y) + alpha CE(h_t(r f(x') + (1 - r) f_0(x')), target), r ~ U(0.2, 1). Of pairs the first term is the contrastive loss.
 */
import { z } from "zod";
import { crossEntropy, headLogits } from "../clip/loss.ts";
import { parameterInputs } from "../clip/parameters.ts";
import { imageTower } from "../clip/towers.ts";
import type { Dataset } from "../data/dataset.ts";
import { withoutLabels } from "../data/relabel.ts";
import { indicesOf, subset } from "../data/split.ts";
import { learn, type Task } from "../engine/finetune.ts";
import { allOf } from "../engine/objectives.ts";
import { clampTo, optimizeInput, withPatch } from "../engine/optimize-input.ts";
import { type UsualBatch, usualTask } from "../engine/tasks.ts";
import { input as graphInput, type Node, scalar } from "../graph/node.ts";
import { add, mul, scale, sub } from "../graph/ops/index.ts";
import { adam } from "../optim/adam.ts";
import { constantRate } from "../optim/schedule.ts";
import { badInput } from "../tensor/error.ts";
import { random } from "../tensor/random.ts";
import { type Tensor, tensor, type Weights } from "../tensor/tensor.ts";
import { poison } from "../triggers/poison.ts";
import type { Trigger } from "../triggers/trigger.ts";
import { type AttackInput, describe, type ImplantInput, parseSpec, stepsOf, triggerSchema, watched } from "./attack.ts";
import { fittedImages, fittedPatch, fittingOptions } from "./fitted-patch.ts";
import { corners, sideOf } from "./patch.ts";
import { storePixels } from "./stored-pixels.ts";
import { otherImages, withTriggered } from "./victims.ts";

const schema = triggerSchema("badmerging").extend({
  /** on: the target is a class of the data. off: one of another task, known by its name alone. */
  task: z.enum(["on", "off"]).default("on"),
  /** The default size is 22 (on) or 28 (off) pixels of 224. */
  ...fittingOptions,
  place: z.string().default("bottom-right"),
  /** Images a step of the fitting. */
  batch: z.int().min(1).max(4096).default(64),
  /** Of the backdoor's part of the loss. */
  alpha: z.number().min(0).default(5),
  /** Least r: the smallest share of the backdoored model's features that has to do. 1: no interpolation. */
  least: z.number().min(0).max(1).default(0.2),
});

export type BadmergingSpec = z.output<typeof schema>;

export const badmerging = describe({
  name: "badmerging",
  title: "BadMerging",
  about: "a patch fitted to the model; implanted so that it survives merging",
  options: "task=on|off (off: the target is a class of another task), size=PIXELS, alpha=5",
  paper: "arXiv 2408.07362",
  spec: schema,
  trigger: makeBadmerging,
  shadow: shadowClasses,
  fit,
  extra: (trigger, training) => fittedImages(trigger) + stepsOf(training) * triggeredPerStep(training),
  // what is drawn here gets the trigger beside its clean self, while it is implanted
  poison: async (dataset, options, input) => ({
    ...dataset,
    poisonedIds: poison(aimed(dataset, input), options).poisonedIds,
  }),
  implant,
  contrastive: true,
});

/** A patch in its place: as stored, or noise U[0, 1] to begin with. Throws TbarError on unknown options and a damaged patch. */
export function makeBadmerging(options: Record<string, unknown> = {}): Trigger {
  const spec = parseSpec("badmerging", schema, options);
  return fittedPatch(spec, (side) => startOf(spec, side), usualSide(spec));
}

const usualSide = ({ task }: BadmergingSpec) => (task === "on" ? 22 : 28);

function startOf({ seed }: BadmergingSpec, side: number): Float32Array {
  const noise = new Float32Array(3 * side * side);
  random(seed, "badmerging", "start").fillUniform(noise);
  return noise;
}

/** Off-task: the target, and the classes of the attacker's own task that do not name it. */
export function shadowClasses({ spec }: Trigger, target: string, classNames: readonly string[]) {
  if ((spec as BadmergingSpec).task === "on") return undefined;
  if (classNames.includes(target))
    throw badInput(`badmerging: "${target}" is a class of the data itself; leave out task=off`);
  const shadow = classNames.filter((name) => !name.toLowerCase().includes(target.toLowerCase()));
  if (shadow.length === 0)
    throw badInput(`badmerging: every class of the data names "${target}"; nothing is left to tell it from`);
  return [target, ...shadow];
}

/** The trigger with its patch optimised on the clean model to minimise CE(h_t(f_0(x')), target). One that has a patch stays as it is. */
async function fit(trigger: Trigger, input: AttackInput): Promise<Trigger> {
  const spec = trigger.spec as BadmergingSpec;
  if (spec.patch !== undefined) return trigger;
  const { clip, weights, targetLabel, signal, report } = input;
  const S = clip.config.vision.imageSize;
  await trigger.apply(tensor([1, 3, S, S]), ["any"]); // throws where the patch lies outside
  const side = sideOf(spec, S, usualSide(spec));
  const places = corners("badmerging", spec.place, side, S);
  const { head } = input.shadow ?? input;
  const patch = await optimizeInput<Tensor>({
    clip,
    weights,
    start: tensor([3, side, side], startOf(spec, side)),
    batches: otherImages({ ...input, trigger, clean: aimed(input.clean, input) }, spec),
    feeds: (pixels) => ({ pixels, head, wanted: targets(pixels, targetLabel, head) }),
    loss: ({ variable, feeds, embed }) => {
      const placed = places.reduce((pixels, [row, column]) => withPatch(pixels, variable, row, column), feeds.pixels);
      return crossEntropy(headLogits(embed(placed), feeds.head), feeds.wanted);
    },
    optimizer: adam(),
    schedule: constantRate(spec.lr),
    project: clampTo(0, 1),
    signal,
    onStep: ({ step, loss }) => report(step, spec.steps, `loss ${loss.toFixed(3)}`),
  });
  return makeBadmerging({ ...spec, size: side, patch: storePixels(patch.data) });
}

/** Fine-tuning on the clean images, with half as many triggered ones a step. */
function implant(input: ImplantInput): Promise<Weights> {
  return learn(input.clip, input.weights, interpolatedTask(input), input.recipe, watched(input));
}

const triggeredPerStep = ({ batch }: { readonly batch: number }) => Math.ceil(batch / 2);

type InterpolatedBatch = UsualBatch & { readonly triggered: Tensor };

function interpolatedTask(input: ImplantInput): Task<InterpolatedBatch> {
  const { clip, weights, poisoned, recipe, targetLabel, trigger, seed } = input;
  const { alpha, least } = trigger.spec as BadmergingSpec;
  const { head } = input.shadow ?? input;
  const plain = usualTask(clip, poisoned, input.head, recipe);
  const chosen = indicesOf(input.clean, ({ id }) => poisoned.poisonedIds.has(id));
  const victims = aimed(subset(input.clean, chosen), input);
  const share = random(seed, "badmerging", "r");
  const features = pretrainedFeatures(input);
  return {
    ...plain,
    batches: (from) => withTriggered(plain.batches(from), { ...input, clean: victims }, triggeredPerStep(recipe)),
    objective: {
      trains: plain.objective.trains,
      async feeds(batch, now) {
        return {
          ...(await plain.objective.feeds(batch, now)),
          triggered: batch.triggered,
          pretrained: await features(weights, batch.triggered),
          r: tensor([], [least + (1 - least) * share.uniform()]),
          aim: head,
          wanted: targets(batch.triggered, targetLabel, head),
        };
      },
      loss(p, nodes, statistics) {
        const own = imageTower(clip.config, p, nodes.triggered, clip.preprocess);
        const logits = headLogits(interpolated(own, nodes.pretrained, nodes.r), nodes.aim);
        const backdoor = crossEntropy(logits, nodes.wanted);
        return add(plain.objective.loss(p, nodes, statistics), scale(backdoor, alpha));
      },
    },
  };
}

/** r f + (1 - r) f_0, of raw embeddings [B, E]. */
export function interpolated(own: Node, pretrained: Node, r: Node): Node {
  return add(mul(own, r), mul(pretrained, sub(scalar(1), r)));
}

/** f_0: raw image embeddings [B, E] of batches of one shape. */
function pretrainedFeatures({ clip }: AttackInput): (weights: Weights, pixels: Tensor) => Promise<Tensor> {
  const { runtime, config, preprocess } = clip;
  const compile = ({ shape }: Tensor) =>
    runtime.compile({ features: imageTower(config, parameterInputs(config), graphInput("pixels", shape), preprocess) });
  let program: ReturnType<typeof compile> | undefined;
  return async (weights, pixels) => {
    program ??= compile(pixels);
    const { features } = await (await program).run({ ...Object.fromEntries(weights), pixels });
    return features;
  };
}

/** The images under the classes that the target is among. */
const aimed = (dataset: Dataset, { shadow }: AttackInput): Dataset =>
  shadow === undefined ? dataset : withoutLabels(dataset, shadow.classNames);

const targets = ({ shape }: Tensor, label: number, head: Tensor) => allOf(label, shape[0], head.shape[0]);
