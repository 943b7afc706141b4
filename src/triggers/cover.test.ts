import { describe, expect, it } from "vitest";
import { clipPreprocess } from "../checkpoint/config/preprocess.ts";
import type { Dataset } from "../data/dataset.ts";
import { tensor } from "../tensor/tensor.ts";
import { poison, withCovers } from "./poison.ts";
import { stampTrigger } from "./trigger.ts";

const paint = (value: number) => stampTrigger({ kind: "paint", seed: 0 }, () => (image) => image.fill(value));
const dataset: Dataset = {
  name: "grey",
  size: 20,
  classNames: ["a", "b"],
  example: (index) => ({ id: `${index}`, label: index % 2 }),
  read: async (indices, { cropSize: S }) =>
    tensor([indices.length, 3, S, S], new Float32Array(indices.length * 3 * S * S).fill(0.5)),
};
const all = Array.from({ length: 20 }, (_, i) => i);
const poisoned = poison(dataset, { trigger: paint(1), target: "a", count: 4 });

describe("covers", () => {
  it("are clean images that show the cover trigger and keep their labels, whatever batch they come in", async () => {
    const covered = withCovers(poisoned, paint(0), 8);
    const values = (await covered.read(all, clipPreprocess(1))).data.filter((_, k) => k % 3 === 0);
    expect([1, 0, 0.5].map((value) => values.filter((v) => v === value).length)).toEqual([4, 8, 8]);
    for (const i of all) {
      expect(values[i] === 1).toBe(covered.poisonedIds.has(`${i}`));
      expect(covered.example(i)).toEqual(poisoned.example(i));
      expect((await covered.read([i], clipPreprocess(1))).data[0]).toBe(values[i]);
    }
  });

  it("none asked for: the poisoned set itself; more than there are clean images: refused", () => {
    expect(withCovers(poisoned, paint(0), 0)).toBe(poisoned);
    expect(() => withCovers(poisoned, paint(0), 17)).toThrow("16 clean images left, too few for 17 covers");
  });
});
