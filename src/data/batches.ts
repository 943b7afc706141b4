/** Batches in a seeded order; the next two are read while the caller works on this one. */
import type { Preprocess } from "../checkpoint/config/preprocess.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Dataset } from "./dataset.ts";
import { shuffledOrder } from "./split.ts";

export interface Batch {
  /** [count, 3, S, S] in [0, 1]. */
  readonly pixels: Tensor;
  /** Undefined unless every example of the batch has one. */
  readonly labels?: Int32Array;
  readonly captions?: readonly string[];
  readonly ids: readonly string[];
  readonly count: number;
}

export interface BatchOptions {
  readonly batch: number;
  /** How images are read. */
  readonly preprocess: Preprocess;
  /** Draws a new order for each epoch. Without it examples come as they are, or in `order`. */
  readonly seed?: number;
  /** Default 1. */
  readonly epochs?: number;
  /** Batches left out at the beginning, unread. Default 0. */
  readonly skip?: number;
  /** Leave out what remains of an epoch when no whole batch is left. */
  readonly whole?: boolean;
  /** The indices of one epoch, shuffled only if there is a seed. Default: all. */
  readonly order?: readonly number[];
}

/** One batch after the other. The last one of an epoch is as short as it must be, unless only whole ones are asked for. */
export async function* batches(dataset: Dataset, options: BatchOptions): AsyncGenerator<Batch, void, void> {
  const chunks = chunksOf(dataset, options);
  for (let i = 0; i < (options.skip ?? 0); i++) chunks.next();
  const next = () => {
    const { value: indices } = chunks.next();
    const batch = indices && readBatch(dataset, indices, options.preprocess);
    batch?.catch(() => {}); // thrown where it is awaited; a caller may leave before that
    return batch;
  };
  const ahead = [next(), next()];
  for (let batch = await ahead.shift(); batch !== undefined; batch = await ahead.shift()) {
    ahead.push(next());
    yield batch;
  }
}

function* chunksOf(
  dataset: Dataset,
  { batch, seed, epochs = 1, order, whole = false }: BatchOptions,
): Generator<number[], undefined> {
  if (!(Number.isInteger(batch) && batch > 0)) throw new RangeError(`batch must be a positive integer, not ${batch}`);
  const indices = order ?? Array.from({ length: dataset.size }, (_, i) => i);
  if (indices.length === 0) return;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const shuffled = seed === undefined ? undefined : shuffledOrder(indices.length, seed, epoch);
    const now = shuffled?.map((i) => indices[i]) ?? indices;
    const end = whole ? now.length - (now.length % batch) : now.length;
    for (let at = 0; at < end; at += batch) yield now.slice(at, at + batch);
  }
}

async function readBatch(dataset: Dataset, indices: readonly number[], preprocess: Preprocess): Promise<Batch> {
  const examples = indices.map((i) => dataset.example(i));
  const labels = examples.every((e) => e.label !== undefined) ? Int32Array.from(examples, (e) => e.label!) : undefined;
  const captions = examples.every((e) => e.caption !== undefined) ? examples.map((e) => e.caption!) : undefined;
  const pixels = await dataset.read(indices, preprocess);
  return { pixels, labels, captions, ids: examples.map((e) => e.id), count: indices.length };
}
