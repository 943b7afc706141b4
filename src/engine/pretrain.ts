/** Pre-training a small CLIP from scratch on image-caption pairs, resumable to the bit after a kill. */
import { type ClipConfig, parameterShapes } from "../checkpoint/config/config.ts";
import type { Preprocess } from "../checkpoint/config/preprocess.ts";
import { initialWeights } from "../clip/parameters.ts";
import type { Tokenize } from "../clip/tokenizer.ts";
import { tokenBatch } from "../clip/tokens.ts";
import type { Dataset } from "../data/dataset.ts";
import { augment } from "../data/images/augment.ts";
import { shuffledOrder } from "../data/split.ts";
import { adamw } from "../optim/adamw.ts";
import { decayMatrices } from "../optim/optimizer.ts";
import { warmupCosine } from "../optim/schedule.ts";
import type { Runtime } from "../runtime/compile.ts";
import { badInput } from "../tensor/error.ts";
import type { Weights } from "../tensor/tensor.ts";
import { type CaptionBatch, clampLogitScale, contrastive, falseNegatives } from "./objectives.ts";
import { train } from "./train.ts";
import type { StepReport } from "./training.ts";
import { readState, writeState } from "./training-state.ts";

export interface PretrainOptions {
  readonly runtime: Runtime;
  readonly config: ClipConfig;
  readonly preprocess: Preprocess;
  readonly tokenize: Tokenize;
  /** Captioned images. Where there are labels too, images of one class are not each other's negatives. */
  readonly dataset: Dataset;
  readonly steps: number;
  readonly batch: number;
  readonly lr: number;
  readonly warmup: number;
  readonly weightDecay: number;
  readonly seed: number;
  /** Crop and mirror the images; for photographs, never where captions speak of left and right. */
  readonly augment?: boolean;
  /** Device and threads, on which the last bits depend. */
  readonly computedOn?: object;
  /** Weights, moments and step are kept in this file; when it is there the run goes on from it. */
  readonly stateFile?: string;
  /** Seconds between saves of the state. */
  readonly saveEvery?: number;
  readonly onStep?: (report: StepReport) => void;
  readonly signal?: AbortSignal;
}

export interface Pretrained {
  readonly weights: Weights;
  /** Of training, over all parts of the run if it was resumed. */
  readonly seconds: number;
}

/** Symmetric InfoNCE with false negatives masked, AdamW (0.9, 0.98) on both towers, warm-up and cosine, clipped to norm 1. */
export async function pretrain(options: PretrainOptions): Promise<Pretrained> {
  const { config, dataset, steps, batch, lr, warmup, weightDecay, seed, stateFile, saveEvery = 60 } = options;
  const optimizer = adamw({ weightDecay, betas: [0.9, 0.98], decays: decayMatrices });
  const recipe = JSON.stringify({
    config,
    data: [dataset.name, dataset.size],
    steps,
    batch,
    lr,
    warmup,
    weightDecay,
    seed,
    augment: options.augment,
    computedOn: options.computedOn,
  });
  const file = stateFile === undefined ? undefined : { path: stateFile, recipe };
  const shapes = new Map([...parameterShapes(config)].map(([name, shape]) => [name, { shape }]));
  const saved = file && (await readState(file, shapes, steps));
  const lacking = [...shapes.keys()].find((name) => saved !== undefined && !saved.weights.has(name));
  if (lacking !== undefined) throw badInput(`${stateFile} is no state that this training left: it lacks ${lacking}`);
  const start = saved?.weights ?? initialWeights(config, seed);
  const state = saved?.state ?? optimizer.init(start);
  const started = performance.now();
  const seconds = () => (saved?.seconds ?? 0) + (performance.now() - started) / 1000;
  let lastSave = started;

  const weights = await train(start, {
    runtime: options.runtime,
    objective: contrastive(config, options.preprocess),
    batches: captionBatches(options, state.step),
    optimizer,
    schedule: warmupCosine(lr, steps, warmup),
    clip: 1,
    state,
    constrain: clampLogitScale,
    signal: options.signal,
    ahead: true,
    async onStep(report, now) {
      options.onStep?.(report);
      const due = performance.now() - lastSave > saveEvery * 1000 || report.step === steps;
      if (file === undefined || !due) return;
      await writeState(file, { seconds: seconds(), ...(await now()) });
      lastSave = performance.now();
    },
  });
  return { weights, seconds: seconds() };
}

/** Batches of a run from a step on. Position k of the run is image k mod n of epoch k / n, each epoch in an order of its own. */
async function* captionBatches(options: PretrainOptions, from: number): AsyncGenerator<CaptionBatch> {
  const { dataset, batch, steps, seed, config, tokenize } = options;
  let epoch = -1;
  let order: number[] = [];
  for (let step = from; step < steps; step++) {
    const indices = Array.from({ length: batch }, (_, i) => {
      const position = step * batch + i;
      const now = Math.floor(position / dataset.size);
      if (now !== epoch) {
        epoch = now;
        order = shuffledOrder(dataset.size, seed, "pretrain", epoch);
      }
      return order[position % dataset.size];
    });
    const examples = indices.map((i) => dataset.example(i));
    const rows = examples.map(({ caption, id }) => {
      if (caption === undefined)
        throw badInput(`${dataset.name}: ${id} has no caption; pre-training needs one for each image`);
      return tokenize(caption);
    });
    const pixels = await dataset.read(indices, options.preprocess);
    yield {
      pixels: options.augment ? augment(pixels, seed, step) : pixels,
      text: tokenBatch(rows, config.text),
      mask: falseNegatives(examples.map(({ label, caption }) => label ?? caption)),
    };
  }
}
