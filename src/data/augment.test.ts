import { expect, test } from "vitest";
import { tensor } from "../tensor/tensor.ts";
import { augment } from "./augment.ts";

/** Value of pixel (y, x) of every plane: 100 y + x. */
const side = 16;
const image = tensor(
  [1, 3, side, side],
  Array.from({ length: 3 * side * side }, (_, i) => 100 * (Math.floor(i / side) % side) + (i % side)),
);

test("every result is the image shifted by at most an eighth, borders repeated, mirrored or not", () => {
  const seen = new Set<string>();
  for (let draw = 0; draw < 600; draw++) {
    const { data } = augment(image, draw);
    const centre = data[8 * side + 8];
    const mirrored = data[8 * side + 9] < centre;
    const down = Math.floor(centre / 100) - 8;
    const right = (centre % 100) - (mirrored ? side - 1 - 8 : 8);
    expect(Math.max(Math.abs(down), Math.abs(right))).toBeLessThanOrEqual(2);
    const clamp = (v: number) => Math.min(Math.max(v, 0), side - 1);
    const expected = Array.from({ length: 3 * side * side }, (_, i) => {
      const [y, x] = [Math.floor(i / side) % side, i % side];
      return 100 * clamp(y + down) + clamp((mirrored ? side - 1 - x : x) + right);
    });
    expect([...data]).toEqual(expected);
    seen.add(`${down} ${right} ${mirrored}`);
  }
  expect(seen.size).toBe(5 * 5 * 2);
});

test("one path gives one result", () => {
  expect(augment(image, 3, "a").data).toEqual(augment(image, 3, "a").data);
});
