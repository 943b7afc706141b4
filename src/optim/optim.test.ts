/** Optimisers, schedules and clipping against PyTorch (scripts/golden/optimizers.py prints the numbers) and by hand. */
import { describe, expect, test } from "vitest";
import { evaluate } from "../../test/ops/reference.ts";
import { sgd } from "../../test/sgd.ts";
import { input, type Node } from "../graph/node.ts";
import { tensor, type Weights } from "../tensor/tensor.ts";
import { adam } from "./adam.ts";
import { adamw } from "./adamw.ts";
import { decayMatrices, type Optimizer } from "./optimizer.ts";
import { clipFactor, constantRate, warmupCosine } from "./schedule.ts";
import { signSteps } from "./sign.ts";

const start = (): Weights =>
  new Map([
    ["w", tensor([2, 2], [1, -2, 0.5, 3])],
    ["b", tensor([2], [0.1, -0.4])],
  ]);
const gradients: readonly Weights[] = [
  [
    [0.3, -0.1, 2, 0],
    [0.01, -4],
  ],
  [
    [0.2, 0.4, -1, 0.5],
    [0.02, 3],
  ],
  [
    [-0.6, 0.1, 0.7, 0.25],
    [-0.05, 0.5],
  ],
].map(
  ([w, b]) =>
    new Map([
      ["w", tensor([2, 2], w)],
      ["b", tensor([2], b)],
    ]),
);

const cases: readonly (readonly [string, Optimizer, readonly number[]])[] = [
  ["adam", adam(), [0.819121278, -2.01304487, 0.334619801, 2.84556219, -0.0686404843, -0.290558572]],
  [
    "adam, other betas and eps",
    adam({ betas: [0.8, 0.98], eps: 1e-2 }),
    [0.835201754, -2.02502457, 0.343768739, 2.84406045, 0.0168558408, -0.301928039],
  ],
  [
    "adam, weight decay 0.2",
    adam({ weightDecay: 0.2 }),
    [0.775998762, -1.76229522, 0.324994036, 2.70429803, -0.0748913125, -0.286421384],
  ],
  [
    "adamw, weight decay 0.2",
    adamw({ weightDecay: 0.2 }),
    [0.766213982, -1.89826986, 0.309708475, 2.67062646, -0.0686309255, -0.271174022],
  ],
  [
    "adamw, weight decay 0.2 on matrices",
    adamw({ weightDecay: 0.2, decays: decayMatrices }),
    [0.766213982, -1.89826986, 0.309708475, 2.67062646, -0.0686404843, -0.290558572],
  ],
  ["sgd", sgd(), [1.01, -2.04, 0.33, 2.925, 0.102, -0.35]],
  ["sgd, momentum 0.9", sgd({ momentum: 0.9 }), [0.9407, -2.0589, 0.078, 2.88, 0.09849, 0.064]],
  ["sgd, nesterov 0.9", sgd({ momentum: 0.9, nesterov: true }), [0.95663, -2.09301, -0.0498, 2.817, 0.100641, 0.0676]],
  [
    "sgd, momentum 0.9, weight decay 0.2",
    sgd({ momentum: 0.9, weightDecay: 0.2 }),
    [0.83308, -1.83828, 0.035976, 2.550136, 0.0875768, 0.0838752],
  ],
  [
    "sgd, weight decay 0.2 on matrices",
    sgd({ weightDecay: 0.2, decays: decayMatrices }),
    [0.95278, -1.92198, 0.306516, 2.749576, 0.102, -0.35],
  ],
];

// weights and moments are stored as float32: half an ulp of 3 in each of three steps is 4e-7
test.each(cases)("%s: three steps at lr 0.1 as PyTorch takes them", (_, optimizer, want) => {
  const weights = start();
  const state = optimizer.init(weights);
  for (const some of gradients) optimizer.update(weights, some, state, 0.1);
  const got = [...weights.values()].flatMap(({ data }) => [...data]);
  for (const [i, value] of got.entries()) expect(Math.abs(value - want[i])).toBeLessThan(5e-7);
  expect(state.step).toBe(3);
});

/** The same as graph, in doubles between steps. */
test.each(cases.filter(([, { graph }]) => graph !== undefined))("%s as graph: the same steps", (_, { graph, init }) => {
  if (graph === undefined) throw new Error("no graph");
  const values = Object.fromEntries([...start()].map(([name, { data }]) => [name, [...data]]));
  const kinds = Object.keys(init(start()).moments);
  for (const kind of kinds) for (const [name, { data }] of start()) values[`${kind} ${name}`] = [...data.fill(0)];
  for (const [t, some] of gradients.entries()) {
    const scalars = graph.scalars(t + 1, 0.1);
    const rates = Object.fromEntries(Object.keys(scalars).map((name) => [name, input(name, [])]));
    for (const [name, { shape, data }] of some) {
      const moments = Object.fromEntries(kinds.map((kind) => [kind, input(`${kind} ${name}`, shape)]));
      const before = { kind: graph.kind(name, shape), value: input(name, shape), gradient: input("g", shape), moments };
      const after = graph.update(before, rates);
      const feeds = {
        ...values,
        g: data,
        ...Object.fromEntries(Object.entries(scalars).map(([name, v]) => [name, [v]])),
      };
      const nodes = [after.value, ...kinds.map((kind) => after.moments[kind])];
      const names = [name, ...kinds.map((kind) => `${kind} ${name}`)];
      for (const [i, found] of evaluate(nodes, feeds).entries()) values[names[i]] = [...found];
    }
  }
  const want = cases.find(([, of]) => of.graph === graph)?.[2] ?? [];
  for (const [i, value] of [...values.w, ...values.b].entries()) expect(Math.abs(value - want[i])).toBeLessThan(5e-7);
});

test("signed steps as graph: p - lr sign(g)", () => {
  const { graph } = signSteps();
  const [value, gradient, lr] = [input("p", [3]), input("g", [3]), input("lr", [])];
  expect(graph?.scalars(1, 0.5)).toEqual({ lr: 0.5 });
  const after = graph?.update({ kind: graph.kind("p", [3]), value, gradient, moments: {} }, { lr });
  const feeds = { p: [1, 2, 3], g: [-0.1, 0, 7], lr: [0.5] };
  expect([...evaluate([after?.value as Node], feeds)[0]]).toEqual([1.5, 2, 2.5]);
});

test("the clip factor multiplies the gradient before the decay joins it: g <- clip g + wd p", () => {
  const weights: Weights = new Map([["p", tensor([1], [1])]]);
  const optimizer = sgd({ weightDecay: 0.25 });
  optimizer.update(weights, new Map([["p", tensor([1], [2])]]), optimizer.init(weights), 1, 0.5);
  expect(weights.get("p")?.data[0]).toBe(1 - (0.5 * 2 + 0.25 * 1));
});

test.each([
  ["adamw", adamw()],
  ["sgd", sgd({ momentum: 0.9, weightDecay: 0.1 })],
])("%s: a parameter without a gradient stays as it is, decay or not", (_, optimizer) => {
  const weights = start();
  const [first] = gradients;
  optimizer.update(weights, new Map([["w", first.get("w")!]]), optimizer.init(weights), 0.1);
  expect(weights.get("b")).toEqual(start().get("b"));
  expect(weights.get("w")).not.toEqual(start().get("w"));
});

test("a gradient of an unknown name is a mistake of ours", () => {
  const optimizer = sgd();
  const update = () => optimizer.update(start(), new Map([["x", tensor([1])]]), optimizer.init(start()), 0.1);
  expect(update).toThrow("there is no parameter x");
});

describe("warmupCosine: lr (k + 1) / w for k < w, then lr/2 (1 + cos(pi (k - w) / (T - w)))", () => {
  const rate = warmupCosine(0.8, 10, 4); // lr 0.8, T 10, w 4
  test.each([
    [0, 0.2],
    [3, 0.8],
    [4, 0.8],
    [7, 0.4],
    [9, 0.4 * (1 - Math.sqrt(3) / 2)],
  ])("step %i: %f", (step, want) => expect(rate(step)).toBeCloseTo(want, 12));

  test("without warm-up the first step has the full rate", () => expect(warmupCosine(0.8, 10, 0)(0)).toBe(0.8));
});

test("constantRate", () => expect([0, 7].map(constantRate(0.3))).toEqual([0.3, 0.3]));

describe("clipFactor: min(1, most / (norm + 1e-6))", () => {
  test("(3, 4) clipped to norm 1 as clip_grad_norm_ does it", () => {
    const clipped = [3, 4].map((g) => g * clipFactor(5, 1));
    expect(clipped[0]).toBeCloseTo(0.59999988, 8);
    expect(clipped[1]).toBeCloseTo(0.79999984, 8);
  });
  test("a gradient below the norm is left alone, and any without a limit", () => {
    expect([clipFactor(0.5, 1), clipFactor(0, 1), clipFactor(1e9, undefined)]).toEqual([1, 1, 1]);
  });
});
