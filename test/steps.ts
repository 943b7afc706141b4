/** A few training steps of small models, the same wherever they are taken: what devices that keep weights are compared by. */
import type { ClipConfig } from "../src/checkpoint/config/config.ts";
import { clipPreprocess } from "../src/checkpoint/config/preprocess.ts";
import { initialWeights } from "../src/clip/parameters.ts";
import { tokenBatch } from "../src/clip/tokens.ts";
import type { Objective } from "../src/engine/gradients.ts";
import { clampLogitScale, classification, contrastive } from "../src/engine/objectives.ts";
import { train } from "../src/engine/train.ts";
import type { Constraint, StepReport, TrainOptions } from "../src/engine/training.ts";
import { adam } from "../src/optim/adam.ts";
import { adamw } from "../src/optim/adamw.ts";
import { decayMatrices, type Optimizer } from "../src/optim/optimizer.ts";
import { warmupCosine } from "../src/optim/schedule.ts";
import type { Runtime } from "../src/runtime/compile.ts";
import { random } from "../src/tensor/random.ts";
import { type Tensor, tensor, type Weights } from "../src/tensor/tensor.ts";

const S = 16;
const tower = { width: 16, layers: 2, heads: 2, mlpWidth: 32, activation: "quick_gelu", eps: 1e-5 } as const;
const text = { ...tower, contextLength: 16, vocabSize: 30, pooling: "largest-id" } as const;
const vit: ClipConfig = {
  embedDim: 8,
  logitScaleInit: Math.log(99),
  vision: { ...tower, imageSize: S, patchSize: 8 },
  text,
};
const resnet: ClipConfig = {
  ...vit,
  vision: { kind: "resnet", imageSize: 32, width: 8, blocks: [1, 1, 1, 1], heads: 4 },
};

function pixels(count: number, seed: number, size = S): Tensor {
  const images = tensor([count, 3, size, size]);
  random(seed, "pixels").fillUniform(images.data);
  return images;
}
const labels = (count: number) => Int32Array.from({ length: count }, (_, i) => i % 3);
const captions = (count: number, seed: number) =>
  Array.from({ length: count }, (_, i) => [1, ...Array.from({ length: 2 + ((seed + i) % 9) }, (_, k) => 3 + ((seed * 7 + i * 5 + k) % 20)), 29]); // biome-ignore format: one line
const head = tensor([3, 8]);
random(2).fillNormal(head.data, 0, 5);

export interface Case<Batch> {
  readonly config: ClipConfig;
  readonly objective: Objective<Batch>;
  readonly batches: readonly Batch[];
  readonly optimizer: Optimizer;
  readonly constrain?: Constraint;
}
const one = <Batch>(value: Case<Batch>) => value as unknown as Case<never>;

// eps is far above the rounding of a gradient: where that is zero but for rounding, Adam would step by the sign of an error
const eps = 1e-3;
/** Six steps each; a last batch is short, captions differ in length. */
export const cases: Readonly<Record<string, Case<never>>> = {
  "image tower, AdamW": one({
    config: vit,
    objective: classification(vit, clipPreprocess(S), head),
    batches: [4, 4, 4, 4, 4, 3].map((count, i) => ({ pixels: pixels(count, i), labels: labels(count) })),
    optimizer: adamw({ weightDecay: 0.1, eps }),
  }),
  "both towers, AdamW on matrices, logit scale in its range": one({
    config: vit,
    objective: contrastive(vit, clipPreprocess(S)),
    batches: [1, 1, 5, 5, 1, 5].map((seed, i) => ({ pixels: pixels(4, i), text: tokenBatch(captions(4, seed), text) })),
    optimizer: adamw({ weightDecay: 0.2, betas: [0.9, 0.98], eps, decays: decayMatrices }),
    constrain: clampLogitScale,
  }),
  "ResNet with running statistics, Adam": one({
    config: resnet,
    objective: classification(resnet, clipPreprocess(32), head),
    batches: [0, 1, 2, 3, 4, 5].map((seed) => ({ pixels: pixels(4, seed, 32), labels: labels(4) })),
    optimizer: adam({ weightDecay: 0.01, eps }),
  }),
};
export interface Taken {
  readonly start: Weights;
  readonly weights: Weights;
  readonly reports: readonly StepReport[];
}

export async function take(
  runtime: Runtime,
  { config, batches, ...rest }: Case<never>,
  { start = initialWeights(config, 1), ...more }: Partial<TrainOptions<never>> & { readonly start?: Weights } = {},
): Promise<Taken> {
  const reports: StepReport[] = [];
  async function* each() {
    yield* batches;
  }
  const options = { runtime, batches: each(), schedule: warmupCosine(0.01, 6, 2), clip: 1, ahead: true, ...rest };
  const weights = await train<never>(start, {
    ...options,
    ...more,
    async onStep(report, now) {
      reports.push(report);
      await more.onStep?.(report, now);
    },
  });
  return { start, weights, reports };
}

/** How far two trainings have come apart: losses and gradient norms, as a share of the first; weights, of the largest change of any. */
export function difference(found: Taken, wanted: Taken): { readonly reports: number; readonly weights: number } {
  const [first] = wanted.reports;
  const apart = wanted.reports.flatMap(({ loss, gradientNorm }, i) => [
    Math.abs(found.reports[i].loss - loss) / first.loss,
    Math.abs(found.reports[i].gradientNorm - gradientNorm) / first.gradientNorm,
  ]);
  let [largest, worst] = [0, 0];
  for (const [name, { data }] of wanted.weights) {
    const [before, other] = [wanted.start.get(name), found.weights.get(name)];
    for (const [i, value] of data.entries()) {
      largest = Math.max(largest, Math.abs(value - (before?.data[i] ?? Number.NaN)));
      worst = Math.max(worst, Math.abs(value - (other?.data[i] ?? Number.NaN)));
    }
  }
  return { reports: Math.max(...apart), weights: worst / largest };
}
