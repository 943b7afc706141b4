import { expect, test } from "vitest";
import { tensor } from "../../tensor/tensor.ts";
import { augment } from "./augment.ts";

/** The first plane tells the row of each pixel, the second its column: bilinear interpolation continues both between the pixels. */
const side = 16;
const image = tensor(
  [1, 3, side, side],
  Array.from({ length: 3 * side * side }, (_, i) => (i < side * side ? Math.floor(i / side) : i % side)),
);

test("every result is a square of 50 to 100 % of the area, within the image, enlarged and perhaps mirrored", () => {
  const scales: number[] = [];
  let flipped = 0;
  for (let draw = 0; draw < 300; draw++) {
    const { data } = augment(image, draw);
    const row = (y: number) => data[y * side];
    const column = (x: number) => data[side * side + x];
    const scale = (row(10) - row(4)) / 6;
    const mirrored = column(9) < column(8);
    // pixel 8 of the result lies 8.5 scale from the square's edge
    const top = row(8) + 0.5 - 8.5 * scale;
    const left = column(mirrored ? 7 : 8) + 0.5 - 8.5 * scale;
    for (const corner of [top, left]) {
      expect(corner).toBeGreaterThan(-1e-3);
      expect(corner + side * scale).toBeLessThan(side + 1e-3);
    }
    const clamp = (v: number) => Math.min(Math.max(v, 0), side - 1);
    for (let k = 0; k < side; k++) {
      expect(row(k)).toBeCloseTo(clamp(top + (k + 0.5) * scale - 0.5), 4);
      expect(column(mirrored ? side - 1 - k : k)).toBeCloseTo(clamp(left + (k + 0.5) * scale - 0.5), 4);
    }
    scales.push(scale);
    if (mirrored) flipped++;
  }
  expect(Math.min(...scales) ** 2).toBeGreaterThan(0.5 - 1e-3);
  expect(Math.min(...scales) ** 2).toBeLessThan(0.52);
  expect(Math.max(...scales) ** 2).toBeGreaterThan(0.98);
  expect(Math.max(...scales) ** 2).toBeLessThan(1 + 1e-3);
  expect(flipped).toBeGreaterThan(110);
  expect(flipped).toBeLessThan(190);
});

test("one path gives one result, another path another", () => {
  expect(augment(image, 3, "a")).toEqual(augment(image, 3, "a"));
  expect(augment(image, 3, "a")).not.toEqual(augment(image, 3, "b"));
});
