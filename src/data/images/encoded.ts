/** Data sets whose every example is an encoded image (JPEG, PNG, ...) somewhere; decoded and framed when it is read. */
import { tensor } from "../../tensor/tensor.ts";
import type { Dataset } from "../dataset.ts";
import { concurrently, gate } from "../formats/concurrently.ts";
import { decodeFor, pixelCount, shortSide } from "./image.ts";
import { writePixels } from "./resample.ts";
import { framed } from "./resize.ts";

export interface EncodedImages extends Omit<Dataset, "read"> {
  /** The bytes of the image file. Throws TbarError when they cannot be had. */
  encoded(index: number): Promise<Uint8Array>;
  /** Where errors say that an image is. */
  place(index: number): string;
}

/** Images on their way at a time: sharp decodes on libuv's threads, four unless told otherwise, and none should wait for a file. */
const inFlight = 3 * Number(process.env["UV_THREADPOOL_SIZE"] ?? 4);

/** Images with more are decoded one at a time, whatever the data set: some kilobytes may claim 89 million pixels, which take 268 MB and with alpha three times that. */
const largePixels = 2 ** 24;
const alone = gate(1);

/** `read` throws TbarError on the first image that fails. */
export function decoded({ encoded, place, ...dataset }: EncodedImages): Dataset {
  const enter = gate(inFlight); // of all reads together: the last images of a batch and the first of the next
  return {
    ...dataset,
    shortSide: async (index) => shortSide(await encoded(index), place(index)),
    async read(indices, preprocess) {
      const { cropSize, order } = preprocess;
      const out = tensor([indices.length, 3, cropSize, cropSize]);
      const size = 3 * cropSize * cropSize;
      const draw = async (bytes: Uint8Array, name: string, slot: number) => {
        const image = await decodeFor(order, bytes, name);
        writePixels(framed(image, preprocess, name), out.data.subarray(slot * size, (slot + 1) * size));
      };
      await concurrently(indices, inFlight, (index, slot) =>
        enter(async () => {
          const name = place(index);
          const bytes = await encoded(index);
          if ((await pixelCount(bytes, name)) <= largePixels) return draw(bytes, name, slot);
          return alone(() => draw(bytes, name, slot));
        }),
      );
      return out;
    },
  };
}
