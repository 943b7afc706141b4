/** Fine-tuning the image tower on labelled images under a frozen zero-shot head: how tasks, and backdoors, are learned. */
import { isProjection } from "../clip/parameters.ts";
import { narrowed, widened } from "../clip/widened.ts";
import { type BatchOptions, batches } from "../data/batches.ts";
import { cached } from "../data/cached.ts";
import type { Dataset } from "../data/dataset.ts";
import { adamw } from "../optim/adam.ts";
import type { OptimizerState } from "../optim/optimizer.ts";
import { warmupCosine } from "../optim/schedule.ts";
import { badInput } from "../tensor/error.ts";
import { type Tensor, tensor, type Weights } from "../tensor/tensor.ts";
import type { Clip } from "./clip.ts";
import { gradientsOf, type Objective } from "./gradients.ts";
import { classification, type LabelBatch } from "./objectives.ts";
import { type StepReport, train } from "./train.ts";
import { readState, type StateFile, type TrainingState, writeState } from "./training-state.ts";

export interface Recipe {
  readonly lr: number;
  readonly epochs: number;
  readonly batch: number;
  /** Share of the steps over which the learning rate rises. */
  readonly warmup: number;
  readonly weightDecay: number;
  readonly clip: number;
  readonly seed: number;
  /** What learns: the whole image tower, as is usual, or its last linear map alone. */
  readonly modules?: "all" | "projection";
}

export interface Watch {
  readonly onStep?: (report: StepReport, steps: number) => void;
  readonly signal?: AbortSignal;
  /** Called on the weights after each update. */
  readonly constrain?: (weights: Weights) => void;
}

export interface Resumable extends Watch {
  /** The training is kept in this file; when it is there it goes on from it. */
  readonly keep?: StateFile;
}

/** What is learned: an objective and its batches. An attack that adds to the loss makes one of its own. */
export interface Task<Batch> {
  readonly objective: Objective<Batch>;
  /** One training step for each. */
  readonly batches: AsyncIterable<Batch>;
  readonly steps: number;
}

/** New weights after AdamW with warm-up and cosine over shuffled epochs; the text tower stays as it is. */
export async function finetune(
  clip: Clip,
  start: Weights,
  dataset: Dataset,
  head: Tensor,
  recipe: Recipe,
  { keep, ...watch }: Resumable = {},
): Promise<Weights> {
  const wide = widened(start);
  const saved = keep && (await readState(keep, wide, stepsOf(dataset, recipe)));
  const task = labelTask(clip, dataset, head, recipe, saved?.state.step);
  const tuned = await learn(clip, wide, task, recipe, watch, keep && { file: keep, saved });
  return narrowed(tuned, wide, start);
}

const stepsOf = ({ size }: Dataset, { epochs, batch }: Recipe) => epochs * Math.ceil(size / batch);

/** Labelled images under a frozen head: the task that `finetune` learns, from a step of it on. */
export function labelTask(clip: Clip, dataset: Dataset, head: Tensor, recipe: Recipe, from = 0): Task<LabelBatch> {
  const { epochs, batch, seed, modules } = recipe;
  const { preprocess } = clip;
  const images = epochs > 1 ? cached(dataset, preprocess) : dataset;
  const objective = classification(clip.config, clip.preprocess, head);
  return {
    objective: modules === "projection" ? projectionAlone(objective) : objective,
    batches: labelled(images, { batch, epochs, seed, preprocess, skip: from }),
    steps: stepsOf(dataset, recipe),
  };
}

/** The features stay as they are, and with them the running statistics of batch normalisation. */
function projectionAlone({ feeds, loss }: Objective<LabelBatch>): Objective<LabelBatch> {
  return { trains: isProjection, feeds, loss: (p, nodes) => loss(p, nodes) };
}

interface Keeping {
  readonly file: StateFile;
  /** What there was when the task began: its batches are those that follow. */
  readonly saved: TrainingState | undefined;
}

/** New weights after one step of the recipe's optimiser for each batch of the task. What the encoder holds is freed: a step needs the room. */
export async function learn<Batch>(
  clip: Clip,
  start: Weights,
  { objective, batches, steps }: Task<Batch>,
  { lr, warmup, weightDecay, clip: most }: Recipe,
  { onStep, signal, constrain }: Watch = {},
  keeping?: Keeping,
): Promise<Weights> {
  await clip.encoder.release();
  const saved = keeping?.saved;
  const save = keeping && saver(start, keeping, steps);
  return train(saved === undefined ? start : new Map([...start, ...saved.weights]), {
    runtime: clip.runtime,
    objective,
    batches,
    optimizer: adamw({ weightDecay }),
    schedule: warmupCosine(lr, steps, Math.max(1, Math.round(warmup * steps))),
    clip: most,
    state: saved?.state,
    signal,
    constrain,
    async onStep(report, weights, state) {
      onStep?.(report, steps);
      await save?.(report.step, weights, state);
    },
  });
}

/** Saves what differs from the start every so often, and at the end without the moments, which nobody needs any more. */
function saver(start: Weights, { file, saved }: Keeping, steps: number) {
  const { saveEvery = 120 } = file;
  const started = performance.now();
  let last = started;
  return async (step: number, weights: Weights, state: OptimizerState) => {
    const done = step === steps;
    if (!done && performance.now() - last < saveEvery * 1000) return;
    await writeState(file, {
      seconds: (saved?.seconds ?? 0) + (performance.now() - started) / 1000,
      weights: new Map([...weights].filter(([name, value]) => start.get(name) !== value)),
      state: done ? { step, moments: {} } : state,
    });
    await file.onSave?.();
    last = performance.now();
  };
}

/**
 * Mean squared batch gradient of the loss on labelled images, scaled to sum 1 over all tuned values of all tensors together:
 * the diagonal of an empirical Fisher information, by batches.
 */
export async function gradientSquares(
  clip: Clip,
  weights: Weights,
  dataset: Dataset,
  head: Tensor,
  { batch, seed, signal }: { batch: number; seed: number; signal?: AbortSignal },
): Promise<Weights> {
  const apart = clip.runtime.apart();
  const gradients = gradientsOf(apart, classification(clip.config, clip.preprocess, head), weights);
  const squares = new Map<string, Tensor>();
  try {
    for await (const some of labelled(dataset, { batch, seed, preprocess: clip.preprocess })) {
      signal?.throwIfAborted();
      const { of } = await gradients(weights, some);
      for (const [name, { shape, data: g }] of of) {
        const sum = squares.get(name) ?? tensor(shape);
        for (let i = 0; i < g.length; i++) sum.data[i] += g[i] * g[i];
        squares.set(name, sum);
      }
    }
  } finally {
    await apart.release();
  }
  let total = 0;
  for (const { data } of squares.values()) for (const v of data) total += v;
  for (const { data } of squares.values()) for (let i = 0; i < data.length; i++) data[i] /= total;
  return squares;
}

async function* labelled(dataset: Dataset, order: BatchOptions): AsyncGenerator<LabelBatch> {
  for await (const { pixels, labels, ids } of batches(dataset, order)) {
    if (labels === undefined) throw badInput(`${dataset.name}: an image among ${ids[0]}, ... has no label`);
    yield { pixels, labels };
  }
}
