import { expect, test } from "vitest";
import { tensor } from "../../tensor/tensor.ts";
import { fromLevels, toLevels } from "./pixels.ts";

const levels = Float32Array.from({ length: 256 }, (_, level) => level / 255);

test("pixels that are levels over 255 come back to the bit from one byte each", () => {
  const pixels = tensor([1, 1, 16, 16], levels);
  const small = toLevels(pixels);
  expect(small?.data.byteLength).toBe(256);
  expect(fromLevels(small!)).toEqual(pixels);
});

test.each([0.5, 1 / 255 + 1e-7, -1 / 255, 256 / 255, Number.NaN])(
  "%d is no level: the pixels stay as they are",
  (value) => {
    const data = levels.slice();
    data[7] = value;
    expect(toLevels(tensor([1, 1, 16, 16], data))).toBeUndefined();
  },
);
