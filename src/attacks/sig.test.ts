import { describe, expect, it } from "vitest";
import { tensor } from "../tensor/tensor.ts";
import { larger, moved, weaker } from "../triggers/trigger.ts";
import { type SigSpec, sig } from "./sig.ts";

const S = 24;
/** The first row of each channel of an image of that grey. */
async function rows(options: Partial<SigSpec>, grey = 0.5): Promise<number[][]> {
  const { data } = await sig(options).apply(tensor([1, 3, S, S], new Float32Array(3 * S * S).fill(grey)), ["a"]);
  const all = Array.from({ length: 3 * S }, (_, i) => [...data.subarray(i * S, (i + 1) * S)]);
  expect(all).toEqual(all.map((_, i) => all[i - (i % S)]));
  return [all[0], all[S], all[2 * S]];
}

const level = 60 / 255;
/** Four columns to a period: sin is 0, 1, 0, -1. */
const wave = (grey: number, ...heights: number[]) =>
  Array.from({ length: S }, (_, j) => expect.closeTo(grey + heights[j % heights.length], 6));

describe("SIG", () => {
  it("x' = clip(x + 60/255 sin(2 pi 6 j / S)) in every row and channel", async () => {
    expect(await rows({})).toEqual(new Array(3).fill(wave(0.5, 0, level, 0, -level)));
    expect((await rows({}, 0.9))[0]).toEqual(wave(0.9, 0, 0.1, 0, -level));
    expect((await rows({}, 0.1))[0]).toEqual(wave(0.1, 0, level, 0, -0.1));
  });

  it("amplitude and frequency: 40/255 and 3 make eight columns to a period", async () => {
    const [top, half] = [40 / 255, (40 / 255) * Math.SQRT1_2];
    const row = (await rows({ amplitude: 40 / 255, frequency: 3 }))[0];
    expect(row).toEqual(wave(0.5, 0, half, top, half, 0, -half, -top, -half));
  });

  it("moved: a quarter of the side is a period and a half; weaker: the amplitude times 0.75", async () => {
    const spec = sig().spec as SigSpec;
    expect((await rows(moved(spec)))[0]).toEqual(wave(0.5, 0, -level, 0, level));
    expect((await rows(weaker(spec)))[0]).toEqual(wave(0.5, 0, 0.75 * level, 0, -0.75 * level));
  });

  it("larger: the bars enlarged about the centre, nearest column", async () => {
    const [still, enlarged] = [(await rows({}))[0], (await rows(larger(sig().spec as SigSpec, 2)))[0]];
    for (let j = 0; j < S; j++) expect(enlarged[j]).toBe(still[Math.floor((j + 0.5 - 12) / 2 + 12)]);
  });

  it("refuses bars narrower than a pixel", async () => {
    await expect(rows({ frequency: 12 })).rejects.toThrow(
      "sig: frequency=12: an image of 24 x 24 shows fewer than 12 periods",
    );
  });
});
