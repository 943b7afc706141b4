import { describe, expect, it } from "vitest";
import { clipPreprocess } from "../checkpoint/config/preprocess.ts";
import type { Dataset } from "../data/dataset.ts";
import { tensor } from "../tensor/tensor.ts";
import { larger, moved, weaker } from "../triggers/trigger.ts";
import { poisonWithCovers, sample, samplingTable, scaleUp, type WanetSpec, wanet } from "./wanet.ts";

const S = 64;
/** Every channel grows by 1 / (S - 1) from column to column, or from row to row: it shows where its pixels were read. */
const ramp = (across: boolean, count = 1) =>
  tensor(
    [count, 3, S, S],
    Float32Array.from({ length: count * 3 * S * S }, (_, k) => (across ? k % S : Math.floor(k / S) % S) / (S - 1)),
  );

/** By how many pixels each inner pixel is displaced, [row][column], in one direction. */
async function displacements(options: Partial<WanetSpec>, { across = true, id = "a" } = {}): Promise<number[][]> {
  const x = ramp(across);
  const { data } = await wanet(options).apply(x, [id]);
  const at = (i: number, j: number) => (data[i * S + j] - x.data[i * S + j]) * (S - 1);
  return Array.from({ length: S - 4 }, (_, i) => Array.from({ length: S - 4 }, (_, j) => at(i + 2, j + 2)));
}
const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("WaNet", () => {
  it("pixel (i, j) shows the image at its own place + the displacement, bilinear, held at the border", () => {
    // 0 1 2 / 3 4 5 / 6 7 8 in each channel; coordinates from -1 to 1, so a pixel is 1 wide
    const image = Float32Array.from({ length: 27 }, (_, k) => k % 9);
    const read = (horizontal: number, vertical: number) => {
      const displacement = new Float32Array(18).fill(horizontal, 0, 9).fill(vertical, 9);
      const out = new Float32Array(27);
      sample(image, samplingTable(displacement, 3), 3, out);
      expect(out.subarray(9, 18)).toEqual(out.subarray(0, 9));
      return [...out.subarray(18)];
    };
    expect(read(0, 0)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(read(1, 0)).toEqual([1, 2, 2, 4, 5, 5, 7, 8, 8]);
    expect(read(0, -1)).toEqual([0, 1, 2, 0, 1, 2, 3, 4, 5]);
    expect(read(0.5, 0.25)).toEqual([1.25, 2.25, 2.75, 4.25, 5.25, 5.75, 6.5, 7.5, 8]);
    expect(read(-9, 9)).toEqual([6, 6, 6, 6, 6, 6, 6, 6, 6]);
  });

  it("scaling up: the cubic of a = -0.75 weighs -3/32, 19/32, 19/32, -3/32 half-way, corner on corner", () => {
    const points = Float32Array.from({ length: 32 }, (_, n) => Math.sin(n));
    expect(scaleUp(points, 4, 4)).toEqual(points);
    const field = scaleUp(points, 4, 7); // every second pixel is a point
    for (const c of [0, 1]) {
      const p = (i: number, j: number) => points[(c * 4 + i) * 4 + j];
      const f = (i: number, j: number) => field[(c * 7 + i) * 7 + j];
      const half = (a: number, b: number, c: number, d: number) => (-3 * a + 19 * b + 19 * c - 3 * d) / 32;
      expect(f(6, 6)).toBeCloseTo(p(3, 3), 6);
      expect(f(2, 3)).toBeCloseTo(half(p(1, 0), p(1, 1), p(1, 2), p(1, 3)), 6);
      expect(f(3, 4)).toBeCloseTo(half(p(0, 2), p(1, 2), p(2, 2), p(3, 2)), 6);
      expect(f(0, 1)).toBeCloseTo(half(p(0, 0), p(0, 0), p(0, 1), p(0, 2)), 6); // the edge repeated
    }
  });

  it.each([true, false])(
    "by default each pixel moves by U[-1, 1] of itself, on its own; across: %s",
    async (across) => {
      const rows = await displacements({}, { across });
      const all = rows.flat();
      const most = (S - 1) / S; // n / mean|n| reaches 2, times 1 / S, times (S - 1) / 2
      expect(Math.max(...all.map(Math.abs))).toBeLessThan(1.03 * most);
      expect(Math.abs(meanOf(all.map(Math.abs)) - most / 2)).toBeLessThan(0.03);
      expect(Math.abs(meanOf(all))).toBeLessThan(0.05); // 5 standard errors
      const neighbours = rows.flatMap((row) => row.slice(1).map((value, j) => value * row[j]));
      expect(Math.abs(meanOf(neighbours))).toBeLessThan(0.03); // variance 1/3, uncorrelated
    },
  );

  it("k = 4, s = 0.5 is a smooth warp", async () => {
    const rows = await displacements({ k: 4, s: 0.5 });
    const all = rows.flat();
    const step = Math.max(...rows.flatMap((row) => row.slice(1).map((value, j) => Math.abs(value - row[j]))));
    expect(Math.max(...all.map(Math.abs))).toBeGreaterThan(0.2);
    expect(Math.max(...all.map(Math.abs))).toBeLessThan(0.75);
    expect(step).toBeLessThan(0.1);
  });

  it("one field for all images; in noise mode U[-1, 1] / S more, drawn for each", async () => {
    const plain = (await displacements({ k: 4, s: 0.5 })).flat();
    expect((await displacements({ k: 4, s: 0.5 }, { id: "b" })).flat()).toEqual(plain);
    const noise = { k: 4, s: 0.5, noise: true };
    const [a, b] = [(await displacements(noise)).flat(), (await displacements(noise, { id: "b" })).flat()];
    expect(b).not.toEqual(a);
    const added = a.map((value, i) => value - plain[i]);
    expect(Math.max(...added.map(Math.abs))).toBeLessThan(0.5);
    expect(Math.abs(meanOf(added.map(Math.abs)) - 0.25)).toBeLessThan(0.02);
  });

  it("weaker: 0.75 of every displacement; moved: the field rolled; larger: the field enlarged", async () => {
    const spec = wanet({ k: 4, s: 0.5 }).spec as WanetSpec;
    const [still, faint, rolled] = await Promise.all(
      [spec, weaker(spec), moved(spec)].map((one) => displacements(one)),
    );
    const enlarged = await displacements(larger(spec, 2));
    for (const i of [0, 7, 30]) {
      for (const j of [0, 9, 30]) {
        expect(faint[i][j]).toBeCloseTo(0.75 * still[i][j], 4);
        expect(rolled[i + 16][j + 16]).toBeCloseTo(still[i][j], 4);
        const near = (n: number) => Math.floor((n + 2.5 - 32) / 2 + 32) - 2;
        expect(enlarged[i][j]).toBeCloseTo(still[near(i)][near(j)], 4);
      }
    }
  });

  it("covers = 2: two noise-mode images to a poisoned one, their labels kept", async () => {
    const ramps: Dataset = {
      name: "ramps",
      size: 40,
      classNames: ["a", "b"],
      example: (index) => ({ id: `${index}`, label: index % 2 }),
      read: async (indices) => ramp(true, indices.length),
    };
    const options = { trigger: wanet({ k: 4, s: 0.5, covers: 2 }), target: "a", rate: 0.1 };
    const poisoned = await poisonWithCovers(ramps, options);
    const all = Array.from({ length: 40 }, (_, i) => i);
    const { data } = await poisoned.read(all, clipPreprocess(S));
    const one = 3 * S * S;
    const shown = all.map((i) => data.slice(i * one, (i + 1) * one).join());
    const warped = (await options.trigger.apply(ramp(true), ["x"])).data.join();
    const clean = ramp(true).data.join();
    expect(all.filter((i) => shown[i] === warped).map(String)).toEqual(
      [...poisoned.poisonedIds].sort((a, b) => +a - +b),
    );
    expect(poisoned.poisonedIds.size).toBe(4);
    const covers = all.filter((i) => shown[i] !== warped && shown[i] !== clean);
    expect(covers.length).toBe(8);
    for (const i of covers) expect(poisoned.example(i)).toEqual(ramps.example(i));
  });

  it("refuses more control points than pixels, and a warp beyond the image", async () => {
    const black = tensor([1, 3, 8, 8]);
    await expect(wanet({ k: 9 }).apply(black, ["a"])).rejects.toThrow(
      "wanet: k=9: an image of 8 x 8 has at most 8 control points a side",
    );
    await expect(wanet({ s: 8 }).apply(black, ["a"])).rejects.toThrow(
      "wanet: s=8: such a warp leaves an image of 8 x 8",
    );
    expect(() => wanet({ k: 1 })).toThrow("wanet: k=1: ");
  });
});
