import { expect, test } from "vitest";
import { clipPreprocess, siglipPreprocess } from "../checkpoint/config/preprocess.ts";
import { tensor } from "../tensor/tensor.ts";
import { cached } from "./cached.ts";
import type { Dataset } from "./dataset.ts";

/** Image i of [3, 2, 2] is filled with i / 255; every reading is counted. */
function counting(size: number) {
  const reads: number[] = [];
  const dataset: Dataset = {
    name: "numbers",
    size,
    example: (i) => ({ id: `${i}` }),
    async read(indices, { cropSize: side }) {
      reads.push(...indices);
      return tensor(
        [indices.length, 3, side, side],
        indices.flatMap((i) => Array<number>(3 * side * side).fill(i / 255)),
      );
    },
  };
  return { dataset, reads };
}

test("each image is read once, results are as before", async () => {
  const { dataset, reads } = counting(5);
  const kept = cached(dataset, clipPreprocess(2));
  for (const indices of [
    [3, 1],
    [1, 1, 4],
    [0, 3],
  ]) {
    expect(await kept.read(indices, clipPreprocess(2))).toEqual(await dataset.read(indices, clipPreprocess(2)));
  }
  const direct = [3, 1, 1, 1, 4, 0, 3];
  expect(reads.toSorted()).toEqual([...direct, 3, 1, 4, 0].toSorted());
});

test("another image size or preprocessing, and images for which there is no room, are read anew", async () => {
  const { dataset, reads } = counting(2);
  const kept = cached(dataset, clipPreprocess(2));
  await kept.read([0], clipPreprocess(3));
  await kept.read([0], clipPreprocess(3));
  await kept.read([0], siglipPreprocess(2)); // the same size, other pixels
  await kept.read([0], clipPreprocess(2, "torchvision"));
  expect(reads).toEqual([0, 0, 0, 0]);
  reads.length = 0;
  const narrow = cached(dataset, clipPreprocess(2), 23); // an image of levels takes 12 bytes
  for (let k = 0; k < 3; k++)
    expect(await narrow.read([1, 0], clipPreprocess(2))).toEqual(await dataset.read([1, 0], clipPreprocess(2)));
  expect(reads).toEqual([1, 0, 1, 0, 0, 1, 0, 0, 1, 0]);
});
