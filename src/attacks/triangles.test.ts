import { describe, expect, it } from "vitest";
import { tensor } from "../tensor/tensor.ts";
import { larger, moved, weaker } from "../triggers/trigger.ts";
import { type TrianglesSpec, triangles } from "./triangles.ts";

/** The first four rows and columns of each channel, with the image black. */
async function corner(S: number, options: Partial<TrianglesSpec>): Promise<number[][][]> {
  const { data } = await triangles(options).apply(tensor([1, 3, S, S]), ["a"]);
  return [0, 1, 2].map((c) =>
    [0, 1, 2, 3].map((i) => [...data.subarray((c * S + i) * S, (c * S + i) * S + 4)].map((v) => Number(v.toFixed(4)))),
  );
}

describe("Blended-Triangles", () => {
  it("n = 0.4 where row >= column of a cell, else 0.8, alike in three channels", async () => {
    const [l, h] = [0.4, 0.8];
    const cell = [[l, h, h, h], [l, l, h, h], [l, l, l, h], [l, l, l, l]]; // biome-ignore format: a matrix
    expect(await corner(224, { ratio: 1 })).toEqual([cell, cell, cell]);
    const pairs = [[l, h, l, h], [l, l, l, l], [l, h, l, h], [l, l, l, l]]; // biome-ignore format: a matrix
    expect(await corner(224, { ratio: 1, cell: 2 })).toEqual([pairs, pairs, pairs]);
  });

  it("x' = 0.15 n + 0.85 x", async () => {
    const S = 28;
    const { data } = await triangles().apply(tensor([1, 3, S, S], new Float32Array(3 * S * S).fill(0.5)), ["a"]);
    expect(data[0]).toBeCloseTo(0.15 * 0.4 + 0.85 * 0.5, 6);
    expect(data[1]).toBeCloseTo(0.15 * 0.8 + 0.85 * 0.5, 6);
  });

  it.each([
    [224, 14],
    [336, 21],
    [56, 4],
    [16, 2],
  ])("at %i pixels a cell has max(2, round(14 S / 224)) = %i", async (S, cell) => {
    const { data } = await triangles({ ratio: 1 }).apply(tensor([1, 3, S, S]), ["a"]);
    const low = Array.from({ length: S }, (_, j) => j).filter((j) => data[j] < 0.5); // row 0: the first column of each cell
    expect(low).toEqual(Array.from({ length: Math.ceil(S / cell) }, (_, n) => n * cell));
  });

  it("moved, larger and weaker", async () => {
    const S = 16;
    const spec = triangles({ ratio: 1, cell: 8 }).spec as TrianglesSpec;
    const stamp = async (options: TrianglesSpec) => (await triangles(options).apply(tensor([1, 3, S, S]), ["a"])).data;
    const [still, rolled, enlarged] = [await stamp(spec), await stamp(moved(spec)), await stamp(larger(spec, 2))];
    const near = (i: number) => Math.floor((i + 0.5 - 8) / 2 + 8);
    for (let i = 0; i < S; i++) {
      for (let j = 0; j < S; j++) {
        expect(rolled[i * S + j]).toBe(still[((i + 12) % S) * S + ((j + 12) % S)]);
        expect(enlarged[i * S + j]).toBe(still[near(i) * S + near(j)]);
      }
    }
    expect((await stamp(weaker(spec)))[0]).toBeCloseTo(0.75 * 0.4, 6);
  });

  it("refuses cells larger than the image, or of one pixel", async () => {
    await expect(corner(8, { cell: 9 })).rejects.toThrow("triangles: cells of 9 pixels do not fit an image of 8 x 8");
    expect(() => triangles({ cell: 1 })).toThrow("triangles: cell=1: ");
  });
});
