/** A data set that reads each image once, as long as there is room for it. */
import { isDeepStrictEqual } from "node:util";
import type { Preprocess } from "../checkpoint/config/preprocess.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import type { Dataset } from "./dataset.ts";
import { compact, type Levels, pickImages, putImages, restored } from "./images/pixels.ts";

/** Pixels as `preprocess` makes them (others are read each time) are kept after their first reading, as 8-bit levels where they are such; once they take `bytes`, no more are. */
export function cached(dataset: Dataset, preprocess: Preprocess, bytes = 512 * 2 ** 20): Dataset {
  const kept = new Map<number, Tensor | Levels>();
  let room = bytes;
  return {
    ...dataset,
    async read(indices, asked) {
      if (asked !== preprocess && !isDeepStrictEqual(asked, preprocess)) return dataset.read(indices, asked);
      const missing = [...new Set(indices.filter((i) => !kept.has(i)))];
      const pixels = missing.length > 0 ? await dataset.read(missing, preprocess) : undefined;
      const fresh = new Map<number, Tensor>();
      for (const [slot, i] of missing.entries()) {
        const image = pickImages(pixels as Tensor, [slot]);
        fresh.set(i, image);
        const small = compact(image);
        if (small.data.byteLength > room) continue;
        kept.set(i, small);
        room -= small.data.byteLength;
      }
      const out = tensor([indices.length, 3, preprocess.cropSize, preprocess.cropSize]);
      for (const [slot, i] of indices.entries()) {
        putImages(out, [slot], fresh.get(i) ?? restored(kept.get(i) as Tensor | Levels));
      }
      return out;
    },
  };
}
