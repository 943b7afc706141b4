import { describe, expect, it } from "vitest";
import { tensor } from "../tensor/tensor.ts";
import { type StripesSpec, stripes } from "./stripes.ts";

const S = 24;
const [side, row, column] = [8, 4, 6];
const here = { size: side, place: `${row}x${column}` };

/** The colours of the square's columns, [channel][column]; they must be the same in all its rows. */
async function colours(options: Partial<StripesSpec>, id = "a"): Promise<number[][]> {
  const grey = tensor([1, 3, S, S], new Float32Array(3 * S * S).fill(0.5));
  const { data } = await stripes(options).apply(grey, [id]);
  const line = (c: number, i: number) => [...data.subarray((c * S + i) * S + column, (c * S + i) * S + column + side)];
  expect(data.filter((value) => value !== 0.5).length).toBe(3 * side * side);
  return [0, 1, 2].map((c) => {
    for (let i = 0; i < side; i++) expect(line(c, row + i)).toEqual(line(c, row));
    return line(c, row);
  });
}

describe("BadNet-Stripes", () => {
  it("each channel of a column is +1 or -1 with equal chance, clamped to 1 and 0", async () => {
    const values = (await Promise.all(Array.from({ length: 60 }, (_, n) => colours(here, `${n}`)))).flat(2);
    expect(new Set(values)).toEqual(new Set([0, 1]));
    const ones = values.filter((value) => value === 1).length / values.length;
    expect(Math.abs(ones - 0.5)).toBeLessThan(0.066); // 5 standard errors of 1,440 draws
  });

  it("quantise: -1 wraps to 1/255, and grey is truncated", async () => {
    const grey = tensor([1, 3, S, S], new Float32Array(3 * S * S).fill(0.5));
    const { data } = await stripes({ ...here, quantise: true }).apply(grey, ["a"]);
    expect(new Set(data)).toEqual(new Set([Math.fround(1 / 255), 1, Math.fround(127 / 255)]));
  });

  it("redrawn for every image, or one for all", async () => {
    const distinct = async (redraw: boolean) =>
      new Set(await Promise.all(["a", "b", "c"].map(async (id) => String(await colours({ ...here, redraw }, id)))));
    expect((await distinct(true)).size).toBe(3);
    expect((await distinct(false)).size).toBe(1);
  });

  it("is a patch of max(3, round(16 S / 224)), at a random place by default, several times if asked", async () => {
    const black = tensor([1, 3, 56, 56], new Float32Array(3 * 56 * 56).fill(0.5));
    const changed = async (options: Partial<StripesSpec>) =>
      (await stripes(options).apply(black, ["a"])).data.filter((value) => value !== 0.5).length;
    expect(await changed({})).toBe(3 * 4 * 4);
    expect(await changed({ copies: 3 })).toBe(3 * 3 * 4 * 4);
  });

  it("refuses a patch larger than the image and copies at one place", async () => {
    const black = tensor([1, 3, S, S]);
    await expect(stripes({ size: 25 }).apply(black, ["a"])).rejects.toThrow(
      "a stripes patch of 25 pixels does not fit an image of 24 x 24; choose size <= 24",
    );
    expect(() => stripes({ place: "middle", copies: 2 })).toThrow("stripes: several copies need place=random");
    expect(() => stripes({ place: "centre" })).toThrow('unknown stripes place "centre"');
  });
});
