import { describe, expect, it } from "vitest";
import { random } from "../tensor/random.ts";
import { tensor } from "../tensor/tensor.ts";
import { larger, moved, weaker } from "../triggers/trigger.ts";
import { type BadnetSpec, badnet } from "./badnet.ts";

const S = 24;
const grey = (value: number, count = 1) => tensor([count, 3, S, S], new Float32Array(count * 3 * S * S).fill(value));
const stamp = async (options: Partial<BadnetSpec>, pixels = grey(0.25), ids = ["a"]) =>
  (await badnet(options).apply(pixels, ids)).data;

/** [row, column] of every pixel where some channel changed. */
function changed(data: Float32Array, before = 0.25): number[][] {
  const pixels = Array.from({ length: S * S }, (_, k) => [Math.floor(k / S), k % S]);
  return pixels.filter(([i, j]) => [0, 1, 2].some((c) => data[(c * S + i) * S + j] !== before));
}

const square = (row: number, column: number, side: number) =>
  Array.from({ length: side * side }, (_, k) => [row + Math.floor(k / side), column + (k % side)]);

describe("BadNet", () => {
  it.each([
    ["top-left", 0, 0],
    ["top-right", 0, 21],
    ["bottom-left", 21, 0],
    ["bottom-right", 21, 21],
    ["middle", 10, 10],
    ["4x7", 4, 7],
  ])("x'[r+a][s+b] = q[a][b] and nothing else: %s", async (place, row, column) => {
    expect(changed(await stamp({ place, size: 3, pattern: "yellow" }))).toEqual(square(row, column, 3));
  });

  it("yellow is R = G = 1, B = 0; a checker has ones at even row and column, else zeros", async () => {
    const read = (data: Float32Array) =>
      [0, 1, 2].map((c) => [0, 1].map((i) => [...data.subarray((c * S + i) * S, (c * S + i) * S + 2)]));
    const yellow = read(await stamp({ place: "top-left", pattern: "yellow" }));
    expect(yellow).toEqual([[[1, 1], [1, 1]], [[1, 1], [1, 1]], [[0, 0], [0, 0]]]); // biome-ignore format: a matrix
    const checker = read(await stamp({ place: "top-left", pattern: "checker" }));
    expect(checker).toEqual(new Array(3).fill([[1, 0], [0, 0]])); // biome-ignore format: a matrix
  });

  it("the side is max(3, round(16 S / 224)): 16 at 224, 24 at 336, 3 at 24", async () => {
    for (const [size, side] of [
      [224, 16],
      [336, 24],
      [24, 3],
    ]) {
      // biome-ignore format: a table
      const { data } = await badnet({ pattern: "yellow" }).apply(tensor([1, 3, size, size]), ["x"]);
      expect(data.reduce((sum, v) => sum + v, 0)).toBe(2 * side * side);
    }
  });

  it("noise is q = mean of the channel + N(0, 1), clamped to [0, 1]", async () => {
    const pixels = tensor([1, 3, 64, 64]);
    pixels.data.fill(0.2, 0, 4096).fill(0.5, 4096, 8192).fill(0.8, 8192);
    const { data } = await badnet({ size: 64, place: "0x0" }).apply(pixels, ["x"]);
    // P(m + N(0, 1) <= 0) = Phi(-m) and P(>= 1) = Phi(m - 1); standard error of a share of 4096: 0.008
    for (const [c, atZero, atOne] of [
      [0, 0.4207, 0.2119],
      [1, 0.3085, 0.3085],
      [2, 0.2119, 0.4207],
    ]) {
      // biome-ignore format: a table
      const channel = [...data.subarray(c * 4096, (c + 1) * 4096)];
      expect(Math.abs(channel.filter((v) => v === 0).length / 4096 - atZero)).toBeLessThan(0.03);
      expect(Math.abs(channel.filter((v) => v === 1).length / 4096 - atOne)).toBeLessThan(0.03);
      expect(channel.every((v) => v >= 0 && v <= 1)).toBe(true);
    }
  });

  it("place and noise are drawn anew for every id; with redraw off the pattern is one for all", async () => {
    const ids = ["a", "b", "c", "d", "e", "f"];
    for (const redraw of [true, false]) {
      const data = await stamp({ size: 4, redraw }, grey(0.25, 6), ids);
      const images = ids.map((_, i) => data.subarray(i * 3 * S * S, (i + 1) * 3 * S * S));
      const corners = images.map((image) => changed(image)[0]);
      expect(new Set(corners.map(String)).size).toBeGreaterThan(3);
      const patches = images.map((image, i) =>
        square(corners[i][0], corners[i][1], 4).map(([r, c]) => image[r * S + c]),
      );
      expect(new Set(patches.map(String)).size).toBe(redraw ? 6 : 1);
    }
  });

  it("random places reach both ends of the image and never leave it", async () => {
    const ids = Array.from({ length: 200 }, (_, i) => `${i}`);
    const data = await stamp({ size: 21, pattern: "yellow" }, grey(0.25, 200), ids);
    const rows = new Set(ids.map((_, i) => changed(data.subarray(i * 3 * S * S, (i + 1) * 3 * S * S))[0][0]));
    expect([...rows].sort()).toEqual([0, 1, 2, 3]);
  });

  it("is pure: the same id and pixels give the same image in any batch, and the input is untouched", async () => {
    const pixels = tensor([3, 3, S, S]);
    random(1).fillUniform(pixels.data);
    const before = pixels.data.slice();
    const trigger = badnet({ seed: 5 });
    const together = await trigger.apply(pixels, ["a", "b", "c"]);
    const alone = await badnet({ seed: 5 }).apply(tensor([1, 3, S, S], pixels.data.slice(3 * S * S, 6 * S * S)), ["b"]);
    expect(together.data.slice(3 * S * S, 6 * S * S)).toEqual(alone.data);
    expect(pixels.data).toEqual(before);
    expect((await badnet({ seed: 6 }).apply(pixels, ["a", "b", "c"])).data).not.toEqual(together.data);
  });

  it("moved: a quarter of the side down and right, wrapping inside the image", async () => {
    const spec = badnet({ place: "top-left", size: 3, pattern: "yellow" }).spec as BadnetSpec;
    expect(changed(await stamp(moved(spec)))).toEqual(square(6, 6, 3));
    expect(changed(await stamp(moved({ ...spec, place: "bottom-right" })))).toEqual(square(5, 5, 3));
  });

  it("larger: the same pattern, enlarged by 25 %", async () => {
    const spec = badnet({ place: "top-left", size: 4, redraw: false }).spec as BadnetSpec;
    const [learned, enlarged] = [await stamp(spec), await stamp(larger(spec))];
    expect(changed(enlarged)).toEqual(square(0, 0, 5));
    const rows = (data: Float32Array, n: number) =>
      Array.from({ length: n }, (_, i) => [...data.subarray(i * S, i * S + n)]);
    const small = rows(learned, 4);
    const near = [0, 1, 2, 2, 3]; // floor((i + 0.5) / 1.25)
    expect(rows(enlarged, 5)).toEqual(near.map((i) => near.map((j) => small[i][j])));
  });

  it("weaker: 0.75 patch + 0.25 image", async () => {
    const spec = badnet({ place: "top-left", pattern: "yellow" }).spec as BadnetSpec;
    const data = await stamp(weaker(spec));
    expect([data[0], data[2 * S * S]]).toEqual([0.75 + 0.25 * 0.25, 0.25 * 0.25]);
  });

  it.each([
    [{ size: 25 }, "a badnet patch of 25 pixels does not fit an image of 24 x 24"],
    [{ size: 20, scale: 1.25 }, "a badnet patch of 25 pixels"],
    [
      { size: 4, place: "21x0" },
      "badnet place 21x0: a patch of 4 pixels leaves an image of 24 x 24; the last place is 20x20",
    ],
  ])("refuses on apply: %j", async (options, message) => {
    await expect(stamp(options)).rejects.toThrow(message);
  });
});
