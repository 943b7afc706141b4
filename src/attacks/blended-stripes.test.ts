import { describe, expect, it } from "vitest";
import { tensor } from "../tensor/tensor.ts";
import { larger, moved, weaker } from "../triggers/trigger.ts";
import { type BlendedStripesSpec, blendedStripes } from "./blended-stripes.ts";

const S = 24;
const fixed = { kind: "blended-stripes", seed: 3, redraw: false } as const;

/** n of every channel and column, +1 or -1, read off a grey image; every row must show the same. */
async function signs(options: Partial<BlendedStripesSpec>, { ratio = 0.03, id = "a" } = {}): Promise<number[]> {
  const grey = tensor([1, 3, S, S], new Float32Array(3 * S * S).fill(0.5));
  const { data } = await blendedStripes(options).apply(grey, [id]);
  const rows = Array.from({ length: 3 * S }, (_, i) => [...data.subarray(i * S, (i + 1) * S)]);
  expect(rows).toEqual(rows.map((_, i) => rows[i - (i % S)]));
  return [0, 1, 2]
    .flatMap((c) => rows[c * S])
    .map((value) => {
      const n = value > 0.5 ? 1 : -1;
      expect(value).toBeCloseTo(ratio * n + (1 - ratio) * 0.5, 6);
      return n;
    });
}

describe("Blended-Stripes", () => {
  it("x' = 0.03 n + 0.97 x, n = +1 or -1 with equal chance for each channel of a column", async () => {
    const all = (await Promise.all(Array.from({ length: 30 }, (_, n) => signs({}, { id: `${n}` })))).flat();
    expect(Math.abs(all.reduce((a, b) => a + b) / all.length)).toBeLessThan(0.108); // 5 standard errors of 2,160 draws
  });

  it("is clipped: black stays 0 under -1, white stays 1 under +1", async () => {
    const { data } = await blendedStripes().apply(tensor([1, 3, S, S]), ["a"]);
    expect(new Set(data)).toEqual(new Set([0, Math.fround(0.03)]));
    const white = tensor([1, 3, S, S], new Float32Array(3 * S * S).fill(1));
    const values = [...new Set((await blendedStripes().apply(white, ["a"])).data)].sort();
    expect(values).toEqual([expect.closeTo(0.94, 6), 1]);
  });

  it("redrawn for every image, or one for all", async () => {
    const distinct = async (redraw: boolean) =>
      new Set(await Promise.all(["a", "b", "c"].map(async (id) => String(await signs({ redraw }, { id })))));
    expect((await distinct(true)).size).toBe(3);
    expect((await distinct(false)).size).toBe(1);
  });

  it("moved rolls the stripes by a quarter of the side; larger widens them about the centre; weaker is ratio x 0.75", async () => {
    const spec = blendedStripes(fixed).spec as BlendedStripesSpec;
    const still = await signs(spec);
    const at = (c: number, j: number) => still[c * S + j];
    const expected = (from: (j: number) => number) =>
      [0, 1, 2].flatMap((c) => Array.from({ length: S }, (_, j) => at(c, from(j))));
    expect(await signs(moved(spec))).toEqual(expected((j) => (j + 18) % S));
    expect(await signs(larger(spec, 2))).toEqual(expected((j) => Math.floor((j + 0.5 - 12) / 2 + 12)));
    expect(await signs(weaker(spec), { ratio: 0.0225 })).toEqual(still);
  });
});
