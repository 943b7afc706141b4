import { describe, expect, it } from "vitest";
import { random } from "../tensor/random.ts";
import { addColumns, blend } from "./overlay.ts";

const clamp = (value: number) => Math.fround(Math.min(1, Math.max(0, value)));
const drawn = (length: number) => {
  const values = new Float32Array(length);
  random(4).fillNormal(values);
  return values;
};

describe("overlays", () => {
  it("clip(v) is min(1, max(0, v))", () => {
    const values = drawn(30_000);
    values.set([0, 1, -1, 2, 1e-9, -1e-9, 1e30, -1e30, 1 - 2 ** -24, 1 + 2 ** -23, 2 ** -29, -(2 ** -29)]);
    const want = values.map(clamp);
    blend(values, values.slice(), 1);
    for (const [i, value] of values.entries()) expect(Math.abs(value - want[i])).toBeLessThan(2 ** -53);
    expect(values.every((value) => value >= 0 && value <= 1)).toBe(true);
    expect([0, 1, 2, 3, 6, 7].map((i) => values[i])).toEqual([0, 1, 0, 1, 1, 0]);
  });

  it("addColumns: image[c][i][j] = clip(columns[c][j] + rest * image[c][i][j])", () => {
    const columns = Float32Array.from([0.5, -0.5, 0.25, 0, 2, -2]); // S = 2
    const image = Float32Array.from([0, 0.5, 0.5, 1, 0.5, 1, 1, 0.25, 0.25, 0.75, 0, 1]);
    addColumns(image, columns, 0.5);
    expect([...image]).toEqual([0.5, 0, 0.75, 0, 0.5, 0.5, 0.75, 0.125, 1, 0, 1, 0]);
  });
});
