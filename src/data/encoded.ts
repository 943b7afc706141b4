/** Data sets whose every example is an encoded image (JPEG, PNG, ...) somewhere; decoded and framed when it is read. */
import { tensor } from "../tensor/tensor.ts";
import { concurrently, gate } from "./concurrently.ts";
import type { Dataset } from "./dataset.ts";
import { decodeFor, writePixels } from "./image.ts";
import { framed } from "./resize.ts";

/** squash: the whole image whatever the model states, its proportions lost. */
export type Fit = "crop" | "squash";

export interface EncodedImages extends Omit<Dataset, "read"> {
  /** The bytes of the image file. Throws TbarError when they cannot be had. */
  encoded(index: number): Promise<Uint8Array>;
  /** Where errors say that an image is. */
  place(index: number): string;
}

/** Images on their way at a time: sharp decodes on libuv's threads, four unless told otherwise, and none should wait for a file. */
const inFlight = 3 * Number(process.env["UV_THREADPOOL_SIZE"] ?? 4);

/** `read` throws TbarError on the first image that fails. */
export function decoded({ encoded, place, ...dataset }: EncodedImages, fit: Fit = "crop"): Dataset {
  const enter = gate(inFlight); // of all reads together: the last images of a batch and the first of the next
  return {
    ...dataset,
    async read(indices, stated) {
      const { cropSize, order } = stated;
      const whole = { mode: "squash", width: cropSize, height: cropSize } as const;
      const preprocess = fit === "crop" ? stated : { ...stated, resize: whole };
      const out = tensor([indices.length, 3, cropSize, cropSize]);
      const size = 3 * cropSize * cropSize;
      await concurrently(indices, inFlight, async (index, slot) => {
        const name = place(index);
        const image = await enter(async () => decodeFor(order, await encoded(index), name));
        writePixels(framed(image, preprocess, name), out.data.subarray(slot * size, (slot + 1) * size));
      });
      return out;
    },
  };
}
