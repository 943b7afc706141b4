/** A data set that reads each image once, as long as all of them fit. */
import { tensor } from "../tensor/tensor.ts";
import type { Dataset } from "./dataset.ts";
import { pickImages, putImages } from "./pixels.ts";

/** Pixels kept as float32 after their first reading, if the whole set takes at most `bytes`; else the data set as it is. */
export function cached(dataset: Dataset, imageSize: number, bytes = 512 * 2 ** 20): Dataset {
  const each = 3 * imageSize * imageSize;
  if (dataset.size * each * 4 > bytes) return dataset;
  const kept = tensor([dataset.size, 3, imageSize, imageSize]);
  const known = new Uint8Array(dataset.size);
  return {
    ...dataset,
    async read(indices, size) {
      if (size !== imageSize) return dataset.read(indices, size);
      const missing = [...new Set(indices.filter((i) => known[i] === 0))];
      if (missing.length > 0) putImages(kept, missing, await dataset.read(missing, size));
      for (const i of missing) known[i] = 1;
      return pickImages(kept, indices);
    },
  };
}
