/** Data sets whose every example is an image file; nothing is decoded before it is read. */
import { availableParallelism } from "node:os";
import { tensor } from "../tensor/tensor.ts";
import { concurrently } from "./concurrently.ts";
import type { Dataset, Example } from "./dataset.ts";
import { decodeImage, writePixels } from "./image.ts";
import { clipTransform, squash } from "./resize.ts";

/** crop: CLIP's evaluation transform, shorter side and centre. squash: the whole image, its proportions lost. */
export type Fit = "crop" | "squash";

export interface ImageFile extends Example {
  readonly file: string;
}

/** `read` throws TbarError naming the first file that cannot be read. */
export function imageFiles(
  name: string,
  files: readonly ImageFile[],
  classNames?: readonly string[],
  fit: Fit = "crop",
): Dataset {
  const frame = fit === "crop" ? clipTransform : squash;
  return {
    name,
    size: files.length,
    classNames,
    example(index) {
      const { id, label, caption } = files[index];
      return { id, label, caption };
    },
    async read(indices, imageSize) {
      const out = tensor([indices.length, 3, imageSize, imageSize]);
      const size = 3 * imageSize * imageSize;
      await concurrently(indices, availableParallelism() + 1, async (index, slot) => {
        const image = await decodeImage(files[index].file);
        writePixels(frame(image, imageSize), out.data.subarray(slot * size, (slot + 1) * size));
      });
      return out;
    },
  };
}
