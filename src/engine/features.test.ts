/** Features times the last linear map are the embeddings. */
import { expect, test } from "vitest";
import type { Dataset } from "../data/dataset.ts";
import { random } from "../tensor/random.ts";
import { tensor } from "../tensor/tensor.ts";
import { loadClip } from "./clip.ts";
import { imageFeatures } from "./features.ts";
import { embedImages } from "./scorer.ts";

test("W f, of length 1, is the embedding of each of 70 images", async () => {
  const clip = await loadClip("models/shapes", { threads: 1 });
  const noise: Dataset = {
    name: "noise",
    size: 70, // a batch and a short one
    example: (i) => ({ id: `${i}` }),
    async read(indices, { cropSize: size }) {
      const pixels = tensor([indices.length, 3, size, size]);
      const length = 3 * size * size;
      for (const [row, i] of indices.entries())
        random("noise", i).fillUniform(pixels.data.subarray(row * length, (row + 1) * length));
      return pixels;
    },
  };
  const features = await imageFeatures(clip, clip.weights, noise);
  const embeddings = await embedImages(clip, clip.weights, noise);
  const W = clip.weights.get("visual_projection.weight");
  if (W === undefined) throw new Error("no last linear map");
  const [E, D] = W.shape;
  expect([features.shape, embeddings.shape]).toEqual([
    [70, D],
    [70, E],
  ]);
  let worst = 0;
  for (let i = 0; i < 70; i++) {
    const f = features.data.subarray(i * D, (i + 1) * D);
    const e = Float64Array.from({ length: E }, (_, row) => f.reduce((sum, v, k) => sum + v * W.data[row * D + k], 0));
    const length = Math.hypot(...e);
    for (let k = 0; k < E; k++) worst = Math.max(worst, Math.abs(e[k] / length - embeddings.data[i * E + k]));
  }
  expect(worst).toBeLessThan(1e-5);
  await clip.runtime.release();
}, 60_000);
