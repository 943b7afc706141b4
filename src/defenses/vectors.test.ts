import { expect, test } from "vitest";
import type { Dataset } from "../data/dataset.ts";
import { rate } from "../stats/rate.ts";
import { tensor, type Weights } from "../tensor/tensor.ts";
import { aligned, alongInputs } from "./aligned.ts";
import type { Search } from "./alpha-search.ts";
import { anchored, anchoredSet } from "./anchored.ts";
import { bestRepair } from "./best-repair.ts";
import { consensus, signConsensus } from "./consensus.ts";
import { type Defense, type DefenseInput, startOf } from "./defense.ts";
import { fisher, fisherWeighted } from "./fisher.ts";
import { lastMap } from "./last-map.ts";
import { relabel } from "./relabel.ts";
import { tbar } from "./tbar.ts";

const vector = (...values: number[]): Weights => new Map([["w", tensor([values.length], values)]]);
const valuesOf = (weights: Weights) => [...(weights.get("w")?.data ?? [])];
const images = (name: string, size: number): Dataset => ({
  name,
  size,
  example: (i) => ({ id: `${name}/${i}`, label: 0 }),
  read: async () => tensor([0, 3, 1, 1]),
});
const search = (ca: number, asr: number, satisfied = true): Search => ({
  best: { alpha: 1, ca: rate(ca, 100), asr: rate(asr, 100) },
  satisfied,
  trials: [],
});

const tauOf = async (defense: Defense, given: DefenseInput) =>
  valuesOf((await defense.run(given)).vector?.tau as Weights);

/** Fine-tuning adds one per set's size; the vector of every search is remembered. */
function input(): DefenseInput & { searched: number[][]; starts: (number | undefined)[] } {
  const [searched, starts]: [number[][], (number | undefined)[]] = [[], []];
  return {
    searched,
    starts,
    backdoored: vector(1, 2),
    forget: images("forget", 8),
    clean: images("clean", 100),
    anchored: anchoredSet(images("forget", 8), images("clean", 100)),
    answered: async () => ({ pairs: images("pairs", 8), undone: images("undone", 8) }),
    finetune: async (data) => vector(1 + data.size, 2 - data.size),
    embed: async ({ name }) => tensor([2, 2], name === "forget" ? [1, 0, 1, 0] : [0, 0, 0, 0]),
    features: async ({ name }) => tensor([2, 2], name === "forget" ? [3, 4, 3, 4] : [0, 0, 0, 0]),
    moments: async () => [],
    product: async () => tensor([1, 1]),
    perturbed: async (data) => data,
    head: tensor([2, 2]),
    learn: async () => vector(1, 2),
    activations: async () => ({ outputs: [], hidden: [] }),
    among: async (knobs, at) => ({ search: search(90, 0), weights: await at(knobs[0]) }),
    gradientSquares: async (data) => (data.name === "clean" ? vector(0, 1) : vector(1, 1)),
    async search(at, start) {
      const [none, one] = [valuesOf(at(0)), valuesOf(at(1))];
      searched.push(none.map((value, i) => value - one[i])); // theta_b - (theta_b - tau)
      starts.push(start);
      return search(90, 0);
    },
  };
}

test("TBAR: tau = theta_tuned - theta_b on triggered images only", async () => {
  const given = input();
  expect(await tauOf(tbar, given)).toEqual([8, -8]);
  expect(given.searched).toEqual([[8, -8]]);
  expect(given.starts).toEqual([undefined]);
});

test("last map: the vector of a fine-tuning in which the last linear map learns alone", async () => {
  const asked: unknown[] = [];
  const given = input();
  const finetune: DefenseInput["finetune"] = (data, variation) => {
    asked.push([data.name, variation]);
    return given.finetune(data);
  };
  expect(await tauOf(lastMap, { ...given, finetune })).toEqual([8, -8]);
  expect(asked).toEqual([["forget", { modules: "projection" }]]);
  expect(given.searched).toEqual([[8, -8]]);
});

test("aligned: tau f f^T of the last linear map, f the trigger's mean step in what the map is given", async () => {
  const name = "visual_projection.weight";
  const map = (values: number[]): Weights =>
    new Map([
      [name, tensor([1, 2], values)],
      ["other", tensor([2], [1, 1])],
    ]);
  const along = alongInputs(map([10, 5]), Float64Array.of(0.6, 0.8)); // (10 x 0.6 + 5 x 0.8) f = 10 f
  expect([...(along.get(name)?.data ?? [])].map((v) => Number(v.toFixed(5)))).toEqual([6, 8]);
  expect([...(along.get("other")?.data ?? [])]).toEqual([0, 0]);

  const given = input();
  const finetune: DefenseInput["finetune"] = async (_, variation) => {
    expect(variation).toEqual({ modules: "projection" });
    return map([1 + 10, 2 + 5]);
  };
  const starts: (number | undefined)[] = [];
  const search: DefenseInput["search"] = (at, start) => {
    starts.push(start);
    return given.search(at, start);
  };
  const repair = await aligned.run({ ...given, backdoored: map([1, 2]), finetune, search });
  expect([...(repair.vector?.tau.get(name)?.data ?? [])].map((v) => Number(v.toFixed(5)))).toEqual([6, 8]);
  expect(starts[0]).toBeCloseTo(Math.hypot(10, 5) / 10, 6); // as long as the whole vector is at 1
  await expect(aligned.run({ ...given, answered: undefined })).rejects.toThrow("bring the trigger instead");
});

test("anchored: a quarter as many clean images join the forget set", async () => {
  const given = input();
  expect(await tauOf(anchored, given)).toEqual([10, -10]);
  expect(given.starts).toEqual([undefined]);
});

test("an anchored set is made of both its sets: the same triggered images with other clean ones make another", () => {
  const ids = (set: Dataset) => Array.from({ length: set.size }, (_, i) => set.example(i).id);
  const forget = images("forget", 8);
  expect(ids(anchoredSet(forget, images("a", 100))).slice(8)).toEqual(["a/0", "a/1"]);
  expect(ids(anchoredSet(forget, images("b", 100))).slice(8)).toEqual(["b/0", "b/1"]);
  expect(ids(anchoredSet(forget, images("few", 1)))).toHaveLength(9);
});

test("Fisher: tau F / (F + lambda Fc)", () => {
  // lambda 3: 8 * 1 / (1 + 0) = 8; -8 * 1 / (1 + 3) = -2; where both are 0 nothing goes
  expect(valuesOf(fisherWeighted(vector(8, -8, 5), vector(1, 1, 0), vector(0, 1, 0), 3))).toEqual([8, -2, 0]);
});

test("Fisher searches Fu and Ft on the vectors of the triggered and of the anchored set, lambda 300", async () => {
  const given = input();
  await fisher.run(given);
  const kept = 1 / (1 + 300); // of the second value, where F = Fc = 1
  const expected = [8, 8, 10, 10].map((length) => [length, -length * kept]);
  // weights near 2 are float32: a difference of two of them is exact to 2 ** -23
  for (const [i, value] of given.searched.flat().entries()) expect(value).toBeCloseTo(expected.flat()[i], 6);
  expect(given.searched).toHaveLength(4);
  // each from where it is as long as the vector that it weights is at 1
  const shorter = Math.sqrt(2 / (1 + kept ** 2));
  for (const start of given.starts) expect(start).toBeCloseTo(shorter, 6);
});

test("consensus starts where it is as long as its vectors are on average at 1", async () => {
  const given = input();
  const tuned = [vector(1 + 3, 2 + 4), vector(1 + 6, 2 - 8), vector(1 + 9, 2 + 12)]; // 5, 10 and 15 long; agreed: the first
  await consensus.run({ ...given, finetune: async (_, { seed = 0 } = {}) => tuned[seed - 1] });
  expect(given.searched).toEqual([[6, 0]]);
  expect(given.starts[0]).toBeCloseTo(10 / 6, 6);
});

test("a vector of zeros starts at 1", () => {
  expect(startOf(vector(0, 0), vector(1, 1))).toBe(1);
});

test("sign consensus: the mean where all agree in sign, else 0", () => {
  expect(valuesOf(signConsensus([vector(1, 1, -2, 0), vector(3, -1, -4, 1), vector(5, 1, -6, 1)]))).toEqual([
    3, 0, -4, 0,
  ]);
});

test("relabel moves towards the clean answers: its vector is subtracted with a minus", async () => {
  const given = input();
  expect(await tauOf(relabel, given)).toEqual([-16, 16]);
  await expect(relabel.run({ ...given, answered: undefined })).rejects.toThrow(/without the trigger too/);
});

test("validation prefers what satisfies the rule, then CA, then ASR", () => {
  const [failed, low, high, worse] = [search(99, 9, false), search(80, 0), search(90, 0), search(90, 1)].map((s) => ({
    search: s,
  }));
  expect(bestRepair([failed, low, worse, high])).toBe(high);
  expect(bestRepair([failed, { search: search(10, 5, false) }]).search.best.asr.value).toBe(0.05);
});

test("a repair holds theta_b - alpha tau and the vector by which it is undone", async () => {
  const { weights, vector: taken, knob, search: found } = await tbar.run(input());
  expect({ knob, alpha: taken?.alpha, best: found.best.alpha }).toEqual({ knob: "alpha", alpha: 1, best: 1 });
  expect(valuesOf(weights)).toEqual([1 - 8, 2 + 8]);
});
