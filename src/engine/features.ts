/** What the image tower's last linear map is given: the features of images. */
import { isProjection, type Params, parameterInputs } from "../clip/parameters.ts";
import { imageTower } from "../clip/towers.ts";
import { batches } from "../data/batches.ts";
import type { Dataset } from "../data/dataset.ts";
import { constant, input } from "../graph/node.ts";
import type { Program } from "../runtime/executor.ts";
import type { Tensor, Weights } from "../tensor/tensor.ts";
import type { Clip } from "./clip.ts";
import { concatRows, finite } from "./encoder.ts";

/** Features [N, D] of a whole data set, in its order: the tower of a ViT with the identity in place of its last linear map [E, D]. */
export async function imageFeatures(
  { config, preprocess, runtime }: Clip,
  weights: Weights,
  dataset: Dataset,
  { batch = 64, signal }: { readonly batch?: number; readonly signal?: AbortSignal } = {},
): Promise<Tensor> {
  const apart = runtime.apart();
  const own = parameterInputs(config);
  const p: Params = (name) => (isProjection(name) ? identity(own(name).shape[1]) : own(name));
  const programs = new Map<string, Promise<Program>>();
  const parts: Tensor[] = [];
  try {
    for await (const { pixels } of batches(dataset, { batch, preprocess })) {
      signal?.throwIfAborted();
      const key = `${pixels.shape}`;
      const program =
        programs.get(key) ??
        apart.compile({ features: imageTower(config, p, input("pixels", pixels.shape), preprocess) });
      programs.set(key, program);
      parts.push((await (await program).run({ ...Object.fromEntries(weights), pixels })).features);
    }
  } finally {
    await apart.release();
  }
  return finite(concatRows(parts), "images");
}

function identity(size: number) {
  const data = new Float32Array(size * size);
  for (let i = 0; i < size; i++) data[i * size + i] = 1;
  return constant(data, [size, size]);
}
