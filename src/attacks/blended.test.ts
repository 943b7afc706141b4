import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { random } from "../tensor/random.ts";
import { tensor } from "../tensor/tensor.ts";
import { larger, moved, weaker } from "../triggers/trigger.ts";
import { type BlendedSpec, blended } from "./blended.ts";

const S = 16;
const image = 3 * S * S;
const black = (count = 1) => tensor([count, 3, S, S]);
const grey = () => tensor([1, 3, S, S], new Float32Array(image).fill(0.5));
/** ratio 1 shows the pattern itself; a narrow Gaussian is never clipped. */
const bare = { kind: "blended", seed: 0, ratio: 1, mean: 0.5, deviation: 0.01, redraw: false } as const;
const stamp = async (options: Partial<BlendedSpec>, pixels = black(), ids = ["a"]) =>
  (await blended(options).apply(pixels, ids)).data;

describe("Blended", () => {
  it("x' = 0.2 n + 0.8 x", async () => {
    const n = await stamp({ ...bare });
    const x = grey();
    random(2).fillUniform(x.data);
    const mixed = await stamp({ ...bare, ratio: 0.2 }, x);
    for (let i = 0; i < image; i++) expect(mixed[i]).toBeCloseTo(0.2 * n[i] + 0.8 * x.data[i], 6);
  });

  it("the default is N(0, 1) at 0.2, clipped as a whole: mean 0.5 x 0.8, deviation 0.2", async () => {
    const pixels = tensor([1, 3, 64, 64], new Float32Array(12288).fill(0.5));
    const { data } = await blended().apply(pixels, ["a"]);
    const values = [...data];
    expect(Math.min(...values)).toBe(0); // 0.4 + 0.2 n < 0 where n < -2
    expect(Math.abs(values.filter((v) => v === 0).length / 12288 - 0.0228)).toBeLessThan(0.006); // Phi(-2)
    const [low, middle, high] = [0.1587, 0.5, 0.8413].map(
      (q) => values.toSorted((a, b) => a - b)[Math.round(q * 12287)],
    );
    expect(low).toBeCloseTo(0.2, 1.7);
    expect(middle).toBeCloseTo(0.4, 1.7);
    expect(high).toBeCloseTo(0.6, 1.7);
  });

  it("a uniform pattern is U[0, 1)", async () => {
    const values = [...(await blended({ pattern: "uniform", ratio: 1 }).apply(tensor([1, 3, 64, 64]), ["a"])).data];
    expect(Math.abs(values.reduce((a, b) => a + b) / 12288 - 0.5)).toBeLessThan(0.015); // 5 standard errors
    expect(Math.abs(values.filter((v) => v < 0.25).length / 12288 - 0.25)).toBeLessThan(0.02);
  });

  it("redrawn for every id, or one pattern for all", async () => {
    const ids = ["a", "b", "c"];
    const split = (data: Float32Array) => ids.map((_, i) => data.slice(i * image, (i + 1) * image).join());
    expect(new Set(split(await stamp({}, black(3), ids))).size).toBe(3);
    expect(new Set(split(await stamp({ redraw: false }, black(3), ids))).size).toBe(1);
  });

  it("is pure: the same id and pixels give the same image in any batch, and the input is untouched", async () => {
    const pixels = tensor([3, 3, S, S]);
    random(1).fillUniform(pixels.data);
    const before = pixels.data.slice();
    const together = await stamp({ seed: 5 }, pixels, ["a", "b", "c"]);
    const alone = await stamp({ seed: 5 }, tensor([1, 3, S, S], pixels.data.slice(image, 2 * image)), ["b"]);
    expect(together.slice(image, 2 * image)).toEqual(alone);
    expect(pixels.data).toEqual(before);
    expect(await stamp({ seed: 6 }, pixels, ["a", "b", "c"])).not.toEqual(together);
  });

  it("moved: the pattern rolled by a quarter of the side, both ways", async () => {
    const [still, rolled] = [await stamp(bare), await stamp(moved(bare))];
    for (const [c, i, j] of [
      [0, 0, 0],
      [1, 3, 15],
      [2, 15, 7],
    ]) {
      // biome-ignore format: a table
      expect(rolled[(c * S + ((i + 4) % S)) * S + ((j + 4) % S)]).toBe(still[(c * S + i) * S + j]);
    }
  });

  it("larger: the pattern enlarged about its centre, nearest pixel", async () => {
    const [still, enlarged] = [await stamp(bare), await stamp(larger(bare))];
    const near = [2, 2, 3, 4, 5, 6, 6, 7, 8, 9, 10, 10, 11, 12, 13, 14]; // floor((i + 0.5 - 8) / 1.25 + 8)
    for (let i = 0; i < S; i++)
      for (let j = 0; j < S; j++) expect(enlarged[i * S + j]).toBe(still[near[i] * S + near[j]]);
  });

  it("weaker: the ratio times 0.75", async () => {
    const spec = { ...bare, ratio: 0.2 };
    expect(await stamp(weaker(spec))).toEqual(await stamp({ ...spec, ratio: 0.2 * 0.75 }));
  });

  it("a picture file is the pattern: x' = 0.2 n + 0.8 x", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tbar-blended-"));
    const picture = join(folder, "red.png");
    await sharp({ create: { width: 5, height: 9, channels: 3, background: "#ff0000" } }).toFile(picture);
    const data = await stamp({ picture }, grey());
    expect([data[0], data[S * S], data[2 * S * S]]).toEqual([0.2 + 0.8 * 0.5, 0.4, 0.4].map(Math.fround));
    await expect(stamp({ picture: join(folder, "none.png") })).rejects.toThrow("none.png: no such file");
    await rm(folder, { recursive: true });
  });
});
