/** A data set that reads each image once, as long as there is room for it. */
import { type Tensor, tensor } from "../tensor/tensor.ts";
import type { Dataset } from "./dataset.ts";
import { compact, type Levels, pickImages, putImages, restored } from "./pixels.ts";

/** Pixels are kept after their first reading, as 8-bit levels where they are such; once they take `bytes`, no more are. */
export function cached(dataset: Dataset, imageSize: number, bytes = 512 * 2 ** 20): Dataset {
  const kept = new Map<number, Tensor | Levels>();
  let room = bytes;
  return {
    ...dataset,
    async read(indices, size) {
      if (size !== imageSize) return dataset.read(indices, size);
      const missing = [...new Set(indices.filter((i) => !kept.has(i)))];
      const pixels = missing.length > 0 ? await dataset.read(missing, size) : undefined;
      const fresh = new Map<number, Tensor>();
      for (const [slot, i] of missing.entries()) {
        const image = pickImages(pixels as Tensor, [slot]);
        fresh.set(i, image);
        const small = compact(image);
        if (small.data.byteLength > room) continue;
        kept.set(i, small);
        room -= small.data.byteLength;
      }
      const out = tensor([indices.length, 3, imageSize, imageSize]);
      for (const [slot, i] of indices.entries()) {
        putImages(out, [slot], fresh.get(i) ?? restored(kept.get(i) as Tensor | Levels));
      }
      return out;
    },
  };
}
