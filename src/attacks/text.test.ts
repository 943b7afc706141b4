import { describe, expect, it } from "vitest";
import { tensor } from "../tensor/tensor.ts";
import { moved, weaker } from "../triggers/trigger.ts";
import { type TextSpec, text } from "./text.ts";

async function stamp(S: number, options: Partial<TextSpec> = {}, grey = 0.5): Promise<Float32Array> {
  return (await text(options).apply(tensor([1, 3, S, S], new Float32Array(3 * S * S).fill(grey)), ["a"])).data;
}

describe("Blended-Text", () => {
  it("x' = 0.5 n + 0.5 x where n is not 0: in the red channel of the letters, nowhere else", async () => {
    const S = 224;
    const data = await stamp(S);
    expect(new Set(data.subarray(0, S * S))).toEqual(new Set([0.5, 0.75]));
    expect(new Set(data.subarray(S * S))).toEqual(new Set([0.5]));
  });

  it("the word is 195 x 21 pixels in the middle of 224 x 224, and begins with a W", async () => {
    const S = 224;
    const data = await stamp(S);
    const marked = Array.from({ length: S * S }, (_, k) => k).filter((k) => data[k] !== 0.5);
    const [rows, columns] = [marked.map((k) => Math.floor(k / S)), marked.map((k) => k % S)];
    expect([Math.min(...rows), Math.max(...rows)]).toEqual([101, 121]);
    expect([Math.min(...columns), Math.max(...columns)]).toEqual([14, 208]);
    const dots = [0, 1, 2, 3, 4, 5, 6].map((i) =>
      [0, 1, 2, 3, 4].map((j) => (data[(102 + 3 * i) * S + 15 + 3 * j] === 0.75 ? "#" : ".")).join(""),
    );
    expect(dots).toEqual(["#...#", "#...#", "#...#", "#.#.#", "#.#.#", "##.##", "#...#"]);
  });

  it("at 56 pixels it is a quarter as large, its edges soft", async () => {
    const data = await stamp(56, { ratio: 1 }, 0);
    const marked = Array.from({ length: 56 * 56 }, (_, k) => k).filter((k) => data[k] > 0.25);
    expect([Math.min(...marked.map((k) => k % 56)), Math.max(...marked.map((k) => k % 56))]).toEqual([3, 52]);
    expect(new Set(marked.map((k) => Math.floor(k / 56))).size).toBe(6);
  });

  it("moved: the word lies a quarter of the side further down and right, wrapping; weaker: ratio x 0.75", async () => {
    const S = 56;
    const spec = text().spec as TextSpec;
    const [still, rolled] = [await stamp(S), await stamp(S, moved(spec))];
    for (let i = 0; i < S; i++) {
      for (let j = 0; j < S; j++) expect(rolled[((i + 14) % S) * S + ((j + 14) % S)]).toBe(still[i * S + j]);
    }
    expect(new Set(await stamp(224, weaker(spec)))).toEqual(new Set([0.5, 0.375 + 0.625 * 0.5]));
  });

  it("refuses images too small to read it", async () => {
    await expect(stamp(43)).rejects.toThrow(
      'text: "Watermarked" is unreadable in an image of 43 x 43; it takes 44 x 44',
    );
  });
});
