/** What the blocks of an image tower make of a data set, on the mean of its images. */

import { parameterInputs } from "../clip/parameters.ts";
import { imageTower } from "../clip/towers.ts";
import { batches } from "../data/batches.ts";
import type { Dataset } from "../data/dataset.ts";
import { input, type Node } from "../graph/node.ts";
import { abs, reduceMean } from "../graph/ops/index.ts";
import { type Tensor, tensor, type Weights } from "../tensor/tensor.ts";
import type { Clip } from "./clip.ts";

/** By block. */
export interface Activations {
  /** Mean output over images: [T, w]; of the last block of a ViT the class token alone, [1, w]. */
  readonly outputs: readonly Tensor[];
  /** Mean size |h| of each hidden unit over images and tokens: [m]. */
  readonly hidden: readonly Tensor[];
}

/** Over a whole data set. The tower must be a transformer. */
export async function meanActivations(
  clip: Clip,
  weights: Weights,
  dataset: Dataset,
  { batch = 64, signal }: { readonly batch?: number; readonly signal?: AbortSignal } = {},
): Promise<Activations> {
  const apart = clip.runtime.apart();
  const programs = new Map<string, ReturnType<typeof apart.compile>>();
  const sums = new Map<string, Tensor>();
  try {
    for await (const { pixels, count } of batches(dataset, { batch, preprocess: clip.preprocess })) {
      signal?.throwIfAborted();
      const key = `${pixels.shape}`;
      const program = programs.get(key) ?? apart.compile(graphOf(clip, pixels.shape));
      programs.set(key, program);
      const means = await (await program).run({ ...Object.fromEntries(weights), pixels });
      for (const [name, { shape, data }] of Object.entries(means)) {
        const sum = sums.get(name) ?? tensor(shape);
        for (let i = 0; i < data.length; i++) sum.data[i] += (count / dataset.size) * data[i];
        sums.set(name, sum);
      }
    }
  } finally {
    await apart.release();
  }
  const of = (what: string) => Array.from({ length: sums.size / 2 }, (_, n) => sums.get(`${what} ${n}`) as Tensor);
  return { outputs: of("output"), hidden: of("hidden") };
}

function graphOf({ config, preprocess }: Clip, shape: readonly number[]): Record<string, Node> {
  const means: Record<string, Node> = {};
  const p = parameterInputs(config);
  imageTower(config, p, input("pixels", shape), preprocess, undefined, (what, n, value) => {
    means[`${what} ${n}`] = what === "output" ? reduceMean(value, [1]) : reduceMean(abs(value), [0, 1]);
  });
  return means;
}
