import { expect, test } from "vitest";
import type { Dataset } from "../data/dataset.ts";
import { tensor, type Weights } from "../tensor/tensor.ts";
import type { DefenseInput } from "./defense.ts";
import { iBau, iBauRounds } from "./i-bau.ts";
import { ibvs, ownPatch } from "./ibvs.ts";
import { alongDirection, direction } from "./projection.ts";

const weights = (value: number): Weights => new Map([["w", tensor([1], [value])]]);
const images: Dataset = {
  name: "clean",
  size: 4,
  classNames: ["ant", "bee"],
  example: (i) => ({ id: `${i}`, label: i % 2 }),
  read: async (indices) => tensor([indices.length, 3, 8, 8]),
};
const search: DefenseInput["search"] = async () => ({
  best: { alpha: 1, ca: { value: 1, n: 1, interval: [0, 1] }, asr: { value: 0, n: 1, interval: [0, 1] } },
  satisfied: true,
  retained: 1,
  trials: [],
});

test("projection: d is the unit mean difference of embeddings; W - d d^T W writes nothing along d", () => {
  const d = direction(tensor([2, 2], [4, 4, 2, 4]), tensor([1, 2], [0, 0]));
  expect([...d]).toEqual([0.6, 0.8]); // (3, 4) / 5
  const W = tensor([2, 3], [1, 2, 3, 4, 5, 6]);
  const tau = alongDirection(new Map([["visual_projection.weight", W], ["other", W]]), d); // biome-ignore format: two tensors
  expect([...tau.keys()]).toEqual(["visual_projection.weight"]);
  const left = W.data.map((value, i) => value - (tau.get("visual_projection.weight")?.data[i] ?? 0));
  for (let j = 0; j < 3; j++) expect(0.6 * left[j] + 0.8 * left[3 + j]).toBeCloseTo(0, 5);
  // at right angles to d everything stays
  for (let j = 0; j < 3; j++) expect(-0.8 * left[j] + 0.6 * left[3 + j]).toBeCloseTo(-0.8 * W.data[j] + 0.6 * W.data[3 + j], 5); // biome-ignore format: one line
  expect(() => alongDirection(weights(1), d)).toThrow("ends without a linear map");
});

test("I-BAU: each round perturbs on the weights so far and begins there; alpha = 1 is the last of them", async () => {
  const seen: number[] = [];
  const onlyValue = (of: Weights | undefined) => of?.get("w")?.data[0] as number;
  const input = {
    backdoored: weights(1),
    clean: images,
    perturbed: async (data: Dataset, at: { weights: Weights }) => {
      seen.push(onlyValue(at.weights));
      return data;
    },
    finetune: async (data: Dataset, { from }: { from?: Weights } = {}) => weights(onlyValue(from) + data.size),
    search,
  } as unknown as DefenseInput;
  const { weights: repaired } = await iBau.run(input);
  expect(seen).toEqual([1, 9, 17]);
  expect(onlyValue(repaired)).toBe(1 + 8 * iBauRounds);
});

test("IBVS: tau is what training with a patch of one's own learned beyond clean training", async () => {
  const sets: Dataset[] = [];
  const input = {
    backdoored: weights(10),
    clean: images,
    forget: { ...images, example: () => ({ id: "f", label: 1 }) },
    finetune: async (data: Dataset) => {
      sets.push(data);
      return weights(10 + data.size);
    },
    search,
  } as unknown as DefenseInput;
  const { vector } = await ibvs.run(input);
  const [clean, both] = sets;
  expect([clean.size, both.size]).toEqual([4, 6]); // images of the target's own class get no patch
  expect([4, 5].map((i) => both.example(i).label)).toEqual([1, 1]);
  expect(vector?.tau.get("w")?.data[0]).toBe(2);
  const { data } = await ownPatch.apply(tensor([1, 3, 16, 16]), ["any"]);
  expect(data.filter((value) => value !== 0).length).toBe(3 * 2 * 2);
});
