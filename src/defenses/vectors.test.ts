import { expect, test } from "vitest";
import type { Dataset } from "../data/dataset.ts";
import type { MomentImages, Moments } from "../engine/moments.ts";
import { rate } from "../stats/rate.ts";
import { tensor, type Weights } from "../tensor/tensor.ts";
import type { Search } from "./alpha-search.ts";
import { anchored, anchoredSet } from "./anchored.ts";
import { bestRepair } from "./best-repair.ts";
import { consensus, signConsensus } from "./consensus.ts";
import { type Defense, type DefenseInput, startOf } from "./defense.ts";
import { erase } from "./erase.ts";
import { fisher, fisherWeighted } from "./fisher.ts";
import { regressed } from "./regressed.ts";
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
  retained: ca / 92,
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

test("erase and regressed: W K and tau K, of what the trigger moves alone; a bias takes back what the mean clean input is given", async () => {
  const [name, bias] = ["layer.weight", "layer.bias"];
  const weights = (w: number[], b: number): Weights =>
    new Map([
      [name, tensor([1, 2], w)],
      [bias, tensor([1], [b])],
      ["norm.weight", tensor([2], [1, 1])],
    ]);
  // the trigger steps along the first input, clean ones differ along the second
  const moments: Moments = {
    ...{ maps: [name], mean: tensor([2], [3, 5]) },
    ...{ step: tensor([2, 2], [4, 0, 0, 0]), spread: tensor([2, 2], [0, 0, 0, 1]) },
  };
  const product: DefenseInput["product"] = async ({ data: [p, q] }, { data: K }) =>
    tensor([1, 2], [p * K[0] + q * K[2], p * K[1] + q * K[3]]);
  const asked: MomentImages[] = [];
  const given: DefenseInput = {
    ...input(),
    ...{ product, backdoored: weights([2, 7], 1), finetune: async () => weights([12, 8], 2) },
    moments: async (images) => {
      asked.push(images);
      return [moments];
    },
    search: async (at, start = 1) => {
      starts.push(start);
      at(1);
      return search(92, 0);
    },
  };
  const starts: number[] = [];
  for (const [defense, along] of [
    [erase, 2],
    [regressed, 10],
  ] as const) {
    const tau = (await defense.run(given)).vector?.tau as Weights;
    expect([...tau.keys()]).toEqual([name, bias]);
    const [w, b] = [name, bias].map((of) => [...(tau.get(of)?.data ?? [])]);
    expect(w[0]).toBeCloseTo(along, 2);
    expect(w[1]).toBeCloseTo(0, 2);
    expect(b[0]).toBeCloseTo(-3 * along, 1);
  }
  expect(starts[0]).toBe(0.25);
  expect(starts[1]).toBeCloseTo(Math.hypot(10, 1, 1) / Math.hypot(10, 30), 2); // as long as tau is at 1
  // of a folder of triggered images nobody knows the same ones without it
  await erase.run({ ...given, answered: undefined });
  const sets = asked.map(({ triggered, pairs, clean }) => [triggered.name, pairs?.name, clean.name]);
  expect(sets).toEqual([["forget", "pairs", "clean"], ["forget", "pairs", "clean"], ["forget", undefined, "clean"]]); // biome-ignore format: one line
});

test("erase and regressed: where the first lambda costs clean accuracy the second is tried too, and validation says which", async () => {
  const moments: Moments = {
    ...{ maps: ["layer.weight"], mean: tensor([2], [0, 0]) },
    ...{ step: tensor([2, 2], [4, 0, 0, 0]), spread: tensor([2, 2], [1, 0, 0, 1]) },
  };
  const [p, q] = [2, 7];
  const given = {
    ...input(),
    ...{ backdoored: new Map([["layer.weight", tensor([1, 2], [p, q])]]), moments: async () => [moments] },
    product: async (_: unknown, { data: K }: { data: ArrayLike<number> }) =>
      tensor([1, 2], [p * K[0] + q * K[2], p * K[1] + q * K[3]]),
  };
  const run = async (found: Search[], onStandIns = false) => {
    const { settings, vector } = await erase.run({ ...given, onStandIns, search: async () => found.shift() as Search });
    return [settings.lambda, vector?.tau.get("layer.weight")?.data[0] as number, found.length];
  };
  const [kept, lost, missed] = [search(92, 0), search(80, 0), search(92, 5, false)];
  // W K of the step's own direction: 2 * 4 / (4 + lambda)
  expect(await run([kept, kept])).toEqual([10, expect.closeTo(8 / 14, 3), 1]);
  expect(await run([lost, kept])).toEqual([100, expect.closeTo(8 / 104, 3), 0]);
  expect(await run([missed, lost])).toEqual([100, expect.closeTo(8 / 104, 3), 0]);
  expect(await run([search(90, 0), kept])).toEqual([100, expect.closeTo(8 / 104, 3), 0]); // 97.8 and 100 %
  expect(await run([search(91.1, 0), kept])).toEqual([10, expect.closeTo(8 / 14, 3), 1]); // 99 %
  expect(await run([search(90, 0), search(90.5, 0)])).toEqual([10, expect.closeTo(8 / 14, 3), 0]); // half a point is not enough
  expect(await run([lost, search(70, 0)])).toEqual([10, expect.closeTo(8 / 14, 3), 0]);
  // a rule that weighs CA and ASR itself decides alone
  expect(await run([{ ...search(90, 0), merit: 0.5 }, { ...search(90, 0), merit: 0.6 }])).toEqual([100, expect.closeTo(8 / 104, 3), 0]); // biome-ignore format: one line
  expect(await run([{ ...search(90, 0), merit: 0.6 }, { ...search(92, 0), merit: 0.5 }])).toEqual([10, expect.closeTo(8 / 14, 3), 0]); // biome-ignore format: one line
  expect(await run([{ ...kept, isRisky: true }, lost])).toEqual([100, expect.closeTo(8 / 104, 3), 0]);
  expect(await run([lost, kept], true)).toEqual([10, expect.closeTo(8 / 14, 3), 1]);
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
