import { narrowed, widened } from "../clip/widened.ts";
import { adamw } from "../optim/adamw.ts";
import { warmupCosine } from "../optim/schedule.ts";
import type { Weights } from "../tensor/tensor.ts";
import type { Clip } from "./clip.ts";
import type { Objective } from "./gradients.ts";
import { lowRank } from "./lora.ts";
import { train } from "./train.ts";
import type { Constraint, Learned, StepReport } from "./training.ts";
import { readState, type StateFile, type TrainingState, writeState } from "./training-state.ts";

export const moduleChoices = ["all", "last-block", "projection", "lora"] as const;
export type Modules = (typeof moduleChoices)[number];

export interface Recipe {
  readonly lr: number;
  readonly epochs: number;
  readonly batch: number;
  /** Share of the steps over which the learning rate rises. */
  readonly warmup: number;
  readonly weightDecay: number;
  readonly clip: number;
  readonly seed: number;
  /** What learns: all, as is usual; of the image tower its last block or its last linear map; or low-rank factors beside the matrices. */
  readonly modules?: Modules;
  /** Of those factors. */
  readonly rank?: number;
  /** The loss: cross-entropy of labels under a frozen head, unless told; or the model's own over pairs of image and caption. */
  readonly objective?: "classification" | "contrastive";
  /** By contrast: the image tower alone, or both. Of labels it is the image tower. */
  readonly train?: "image" | "both";
  /** By contrast with both towers: does the logit scale learn with them? */
  readonly temperature?: "learned" | "frozen";
}

export interface Watch {
  readonly onStep?: (report: StepReport, steps: number) => void;
  readonly signal?: AbortSignal;
  /** Called on the weights after each update. */
  readonly constrain?: Constraint;
}

export interface Resumable extends Watch {
  /** The training is kept in this file; when it is there it goes on from it. */
  readonly keep?: StateFile;
}

/** What is learned: an objective and its batches. */
export interface Task<Batch> {
  readonly objective: Objective<Batch>;
  /** One training step for each, from a step on (counted from 0). */
  batches(from: number): AsyncIterable<Batch>;
  readonly steps: number;
  /** Called on the weights after each update, where one of them has a range to keep to. */
  readonly constrain?: Constraint;
}

/** New weights after AdamW with warm-up and cosine over what the task gives; what its objective does not train stays as it is. */
export async function finetune<Batch>(
  clip: Clip,
  start: Weights,
  task: Task<Batch>,
  recipe: Recipe,
  { keep, ...watch }: Resumable = {},
): Promise<Weights> {
  const wide = widened(start);
  const low = recipe.modules === "lora" ? lowRank(task.objective, { start, wide }, recipe) : undefined;
  const from = low?.start ?? wide;
  const learned = low === undefined ? task : { ...task, objective: low.objective, constrain: undefined };
  const saved = keep && (await readState(keep, from, task.steps));
  const tuned = await learn(clip, from, learned, recipe, watch, keep && { file: keep, saved });
  return narrowed(low?.merged(tuned) ?? tuned, wide, start);
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
  { objective, batches, steps, constrain: own }: Task<Batch>,
  { lr, warmup, weightDecay, clip: most }: Recipe,
  { onStep, signal, constrain = own }: Watch = {},
  keeping?: Keeping,
): Promise<Weights> {
  await clip.encoder.release();
  const saved = keeping?.saved;
  const save = keeping && saver(start, keeping, steps);
  return train(saved === undefined ? start : new Map([...start, ...saved.weights]), {
    runtime: clip.runtime,
    objective,
    batches: batches(saved?.state.step ?? 0),
    optimizer: adamw({ weightDecay }),
    schedule: warmupCosine(lr, steps, Math.max(1, Math.round(warmup * steps))),
    clip: most,
    state: saved?.state,
    signal,
    constrain,
    ahead: true,
    async onStep(report, now) {
      onStep?.(report, steps);
      await save?.(report.step, now);
    },
  });
}

/** Saves what differs from the start every so often, and at the end without the moments, which nobody needs any more. */
function saver(start: Weights, { file, saved }: Keeping, steps: number) {
  const { saveEvery = 120 } = file;
  const started = performance.now();
  let last = started;
  return async (step: number, now: () => Promise<Learned>) => {
    const done = step === steps;
    if (!done && performance.now() - last < saveEvery * 1000) return;
    const { weights, state } = await now();
    await writeState(file, {
      seconds: (saved?.seconds ?? 0) + (performance.now() - started) / 1000,
      weights: new Map([...weights].filter(([name, value]) => start.get(name) !== value)),
      state: done ? { step, moments: {} } : state,
    });
    await file.onSave?.();
    last = performance.now();
  };
}
