/** The two task vectors of a map: from files, from checkpoints, or made here by fine-tuning theta_0. */
import { subtract, taskVector } from "../../arithmetic/task-vector.ts";
import { isVision } from "../../clip/parameters.ts";
import type { Dataset } from "../../data/dataset.ts";
import type { Resolved } from "../../engine/family-recipe.ts";
import { finetune } from "../../engine/finetune.ts";
import { underHead } from "../../engine/tasks.ts";
import { badInput } from "../../tensor/error.ts";
import { sameShape, sizeOf, type Tensor, type Weights } from "../../tensor/tensor.ts";
import type { Context } from "../context.ts";
import type { Work } from "../progress/work.ts";
import type { Clock } from "../record/facts.ts";
import { withVector } from "../vector/vector-file.ts";
import type { Prepared } from "./prepare.ts";
import type { XiSpec } from "./spec.ts";

/** With its recipe, where it was trained here. */
export interface MadeVector extends Partial<Resolved> {
  /** Over the image tower. */
  readonly tau: Weights;
  readonly how: string;
  readonly images?: number;
}

export interface Making {
  readonly head: Tensor;
  readonly work: Work | undefined;
  readonly clock: Clock;
}

/** tau_c and tau_t. Throws `bad-input` on vectors of another model, and on one that changes nothing of the image tower. */
export async function vectorsOf(ready: Prepared, spec: XiSpec, making: Making, context: Context) {
  const clean = await cleanVector(ready, spec, making, context);
  const trigger = await triggerVector(ready, spec, clean, making, context);
  for (const [name, { tau, how }] of Object.entries({ tau_c: clean, tau_t: trigger }))
    if (tau.size === 0) throw badInput(`${name} (${how}) changes nothing of the image tower: there is nothing to map`);
  return { clean, trigger };
}

async function cleanVector(ready: Prepared, spec: XiSpec, making: Making, context: Context): Promise<MadeVector> {
  const { clip, control } = ready;
  if (spec.cleanVector !== undefined) return fromFile(spec.cleanVector, clip.weights);
  if (control !== undefined)
    return { tau: imageTower(taskVector(clip.weights, await control.weights())), how: `${spec.cleanModel} - theta_0` };
  const tau = await trained(ready, "clean", ready.finetune, making, context);
  return { tau, how: "theta_0 fine-tuned on clean images", images: ready.finetune.size, ...ready.recipes.clean };
}

async function triggerVector(
  ready: Prepared,
  spec: XiSpec,
  clean: MadeVector,
  making: Making,
  context: Context,
): Promise<MadeVector> {
  const { clip, backdoored, forget } = ready;
  if (spec.triggerVector !== undefined) return fromFile(spec.triggerVector, clip.weights);
  if (spec.triggerFrom === "difference" && backdoored !== undefined) {
    const both = imageTower(taskVector(clip.weights, await backdoored.weights()));
    return { tau: less(both, clean.tau), how: `${spec.model} - (theta_0 + tau_c)` };
  }
  const tau = await trained(ready, "trigger", forget, making, context);
  return { tau, how: "theta_0 fine-tuned on triggered images", images: forget.size, ...ready.recipes.trigger };
}

async function trained(
  { clip, recipes }: Prepared,
  task: "clean" | "trigger",
  images: Dataset,
  { head, work, clock }: Making,
  { signal, progress }: Context,
): Promise<Weights> {
  const { recipe } = recipes[task];
  const name = { clean: "tau_c", trigger: "tau_t" }[task];
  clock.stage(name);
  const tuned = await finetune(clip, clip.weights, underHead(clip, images, head, recipe), recipe, {
    keep: work?.training(name),
    signal,
    onStep: ({ step, loss }, steps) => progress.step(step, steps, `loss ${loss.toFixed(3)}`),
  });
  return imageTower(taskVector(clip.weights, tuned));
}

/** The head of classes is theta_0's and stays so: of the text tower nothing counts. */
const imageTower = (tau: Weights): Weights => new Map([...tau].filter(([name]) => isVision(name)));

/** a - b, where one of them may lack tensors of the other. */
function less(a: Weights, b: Weights): Weights {
  const zeros = [...b].filter(([name]) => !a.has(name)).map(([name, { shape, data }]) => [name, { shape, data: new Float32Array(data.length) }] as const); // biome-ignore format: one line
  return subtract(new Map([...a, ...zeros]), b, 1);
}

async function fromFile(path: string, weights: Weights): Promise<MadeVector> {
  return withVector(path, async (file) => {
    const tau = new Map<string, Tensor>();
    for (const [name, shape] of file.shapes) {
      if (!isVision(name)) continue;
      const own = weights.get(name)?.shape;
      if (own === undefined) throw badInput(`theta_0 has no ${name}, which ${path} changes`);
      if (!sameShape(own, shape)) throw badInput(`${name} is [${own}] in theta_0 and [${shape}] in ${path}`);
      const data = new Float32Array(sizeOf(shape));
      const part = 2 ** 20;
      for (let at = 0; at < data.length; at += part)
        data.set(await file.read(name, at, Math.min(part, data.length - at)), at);
      tau.set(name, { shape, data });
    }
    return { tau, how: path };
  });
}
