/**
 * Gradients to pixels: the weights stay, a patch or a perturbation learns. A model's parameters and the input that is sought are
 * all inputs of one graph, so this is training with a single trained tensor.
 */
import { unit } from "../clip/loss.ts";
import { imageTower } from "../clip/towers.ts";
import { constant, type Node } from "../graph/node.ts";
import { add, clip as clamp, mul, pad } from "../graph/ops/index.ts";
import type { Optimizer } from "../optim/optimizer.ts";
import type { Schedule } from "../optim/schedule.ts";
import type { Feeds } from "../runtime/executor.ts";
import type { Tensor, Weights } from "../tensor/tensor.ts";
import type { Clip } from "./clip.ts";
import { train } from "./train.ts";
import type { StepReport } from "./training.ts";

/** What the loss may be made of, as graph nodes. */
export interface InputLoss {
  /** The input that is sought, shaped as `start`. */
  readonly variable: Node;
  /** What `feeds` gave for this batch, by name. */
  readonly feeds: Readonly<Record<string, Node>>;
  /** Unit-norm image embeddings [B, E] of pixels [B, 3, S, S], by the frozen tower. */
  readonly embed: (pixels: Node) => Node;
}

export interface InputOptimization<Batch> {
  readonly clip: Clip;
  /** Frozen. */
  readonly weights: Weights;
  /** Where the search begins; stays as it is. */
  readonly start: Tensor;
  /** A batch as named tensors: pixels, embeddings, a head, targets. */
  readonly feeds: (batch: Batch) => Feeds | Promise<Feeds>;
  /** A scalar to be minimised; negate one to ascend. */
  readonly loss: (nodes: InputLoss) => Node;
  /** One step for each. The next batch is asked for when a step is done, so a generator that reads `onStep`'s loss may stop early. */
  readonly batches: AsyncIterable<Batch>;
  /** `adam()`, or `signSteps()` for PGD; each with `schedule`. */
  readonly optimizer: Optimizer;
  readonly schedule: Schedule;
  /** Called on the variable after each step, to bring it back into its range, in place: see `clampTo`. */
  readonly project?: (variable: Tensor) => void;
  readonly onStep?: (report: StepReport, variable: Tensor) => void;
  readonly signal?: AbortSignal;
}

/**
 * The input after one step for each batch. Throws the signal's reason on abort, and `bad-input` when the loss is no longer finite.
 * Random choices are the caller's: equal batches and start give an equal result.
 */
export async function optimizeInput<Batch>(options: InputOptimization<Batch>): Promise<Tensor> {
  const { clip, weights, start, feeds, loss, batches, optimizer, schedule, project, onStep, signal } = options;
  const of = (weights: Weights) => weights.get(sought) as Tensor;
  const found = await train(new Map([...weights, [sought, start]]), {
    runtime: clip.runtime,
    objective: {
      trains: (name) => name === sought,
      feeds,
      loss: (p, nodes) => {
        const embed = (pixels: Node) => unit(imageTower(clip.config, p, pixels, clip.preprocess));
        return loss({ variable: p(sought), feeds: nodes, embed });
      },
    },
    batches,
    optimizer,
    schedule,
    signal,
    constrain: project && ((weights) => project(of(weights))),
    ...(onStep && { onStep: async (report, now) => onStep(report, of((await now()).weights)) }),
  });
  return of(found);
}

/** No parameter of a CLIP has this name. */
const sought = "the input that is sought";

/** A projection onto the box [low, high]. */
export function clampTo(low: number, high: number): (variable: Tensor) => void {
  return ({ data }) => {
    for (let i = 0; i < data.length; i++) data[i] = Math.min(high, Math.max(low, data[i]));
  };
}

/** Pixels [B, 3, S, S] with a patch [3, P, P] written over them; its upper left pixel comes to (row, column). */
export function withPatch(pixels: Node, patch: Node, row: number, column: number): Node {
  const [, channels, height, width] = pixels.shape;
  const [, rows, columns] = patch.shape;
  const keep = new Float32Array(channels * height * width).fill(1);
  for (let c = 0; c < channels; c++) {
    for (let i = row; i < row + rows; i++) {
      const at = (c * height + i) * width + column;
      keep.fill(0, at, at + columns);
    }
  }
  const wide = pad(patch, 2, column, width - column - columns);
  const whole = pad(wide, 1, row, height - row - rows);
  return add(mul(pixels, constant(keep, [channels, height, width])), whole);
}

/** clip(pixels + perturbation) to [0, 1], for a perturbation [3, S, S] shared by all images or [B, 3, S, S]. */
export const perturbed = (pixels: Node, perturbation: Node): Node => clamp(add(pixels, perturbation), 0, 1);
