import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sgd } from "../../test/sgd.ts";
import type { Node } from "../graph/node.ts";
import { add, linear, reduceSumSquare, scale, sub } from "../graph/ops/index.ts";
import { adamw } from "../optim/adamw.ts";
import { constantRate, warmupCosine } from "../optim/schedule.ts";
import { createRuntime, type Runtime } from "../runtime/compile.ts";
import { onnxRuntime } from "../runtime/onnxruntime.ts";
import { random } from "../tensor/random.ts";
import { type Tensor, tensor, type Weights } from "../tensor/tensor.ts";
import type { Objective } from "./gradients.ts";
import { train } from "./train.ts";
import type { StepReport, TrainOptions } from "./training.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = createRuntime(await onnxRuntime({ threads: 1 }));
});
afterAll(() => runtime.release());

interface Rows {
  readonly x: Tensor;
  readonly y: Tensor;
}

/** Least squares, mean over the rows: |x w^T + b - y|^2 / B. The bias b does not learn. */
const regression: Objective<Rows> = {
  trains: (name) => name === "w",
  feeds: ({ x, y }) => ({ x, y }),
  loss: (p: (name: string) => Node, { x, y }) =>
    scale(reduceSumSquare(sub(add(linear(x, p("w")), p("b")), y)), 1 / x.shape[0]),
};

/** x [B, 2] and y [B, 1]. */
const rows = (x: readonly number[], y: readonly number[]): Rows => ({
  x: tensor([y.length, 2], x),
  y: tensor([y.length, 1], y),
});
const weightsAt = (w: readonly number[]): Weights =>
  new Map([
    ["w", tensor([1, 2], w)],
    ["b", tensor([1], [0.5])],
  ]);
const unitRows = rows([1, 0, 0, 1], [0.5, 0.5]);

/** Batches of four rows of y = 3 x0 - 2 x1 + 1/2, drawn from a seed. */
function drawn(seed: number, steps: number): Rows[] {
  const rng = random(seed, "rows");
  return Array.from({ length: steps }, () => {
    const x = Array.from({ length: 8 }, () => rng.normal());
    return rows(
      x,
      [0, 2, 4, 6].map((i) => 3 * x[i] - 2 * x[i + 1] + 0.5),
    );
  });
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function fit(start: Weights, batches: readonly Rows[], options: Partial<TrainOptions<Rows>> = {}) {
  const reports: StepReport[] = [];
  const weights = await train(start, {
    runtime,
    objective: regression,
    batches: each(batches),
    optimizer: sgd(),
    schedule: constantRate(0.1),
    onStep: (report) => void reports.push(report),
    ...options,
  });
  return { weights, reports, w: weights.get("w")?.data as Float32Array };
}

describe("train", () => {
  // at w = (1, 2), b = 1/2 the residuals are (1, 2): loss (1 + 4) / 2, gradient 2/B (1, 2)
  test("one step of gradient descent by hand: w <- w - lr g", async () => {
    const { w, reports } = await fit(weightsAt([1, 2]), [unitRows]);
    expect([...w]).toEqual([0.9, 1.8].map(Math.fround));
    expect(reports).toEqual([{ step: 1, loss: 2.5, gradientNorm: Math.sqrt(5), lr: 0.1 }]);
  });

  test("clip 1: w <- w - lr g / |g|; the norm reported is that before", async () => {
    const { w, reports } = await fit(weightsAt([1, 2]), [unitRows], { clip: 1 });
    expect(w[0]).toBeCloseTo(1 - 0.1 / Math.sqrt(5), 6);
    expect(w[1]).toBeCloseTo(2 - 0.2 / Math.sqrt(5), 6);
    expect(reports[0].gradientNorm).toBe(Math.sqrt(5));
  });

  test("the loss falls to zero on rows that lie on a plane", async () => {
    const { w, reports } = await fit(weightsAt([0, 0]), drawn(1, 60));
    expect(reports).toHaveLength(60);
    expect(reports[0].loss).toBeGreaterThan(1);
    expect(reports[59].loss).toBeLessThan(1e-6);
    expect(w[0]).toBeCloseTo(3, 3);
    expect(w[1]).toBeCloseTo(-2, 3);
  });

  test("the weights given stay as they were; untrained ones are shared", async () => {
    const start = weightsAt([1, 2]);
    const { weights } = await fit(start, drawn(1, 3));
    expect(start).toEqual(weightsAt([1, 2]));
    expect(weights.get("w")).not.toEqual(start.get("w"));
    expect(weights.get("b")).toBe(start.get("b"));
  });

  test("a short last batch is a step of its own, its loss the mean over its own rows", async () => {
    const short = rows([1, 1], [0]);
    const { reports, w } = await fit(weightsAt([1, 2]), [unitRows, short]);
    expect(reports.map(({ step }) => step)).toEqual([1, 2]);
    const residual = 0.9 + 1.8 + 0.5;
    expect(reports[1].loss).toBeCloseTo(residual ** 2, 5);
    expect(w[0]).toBeCloseTo(0.9 - 0.1 * 2 * residual, 6);
  });

  test("the schedule is asked for each step, from 0", async () => {
    const { reports } = await fit(weightsAt([1, 2]), drawn(1, 4), { schedule: warmupCosine(0.1, 4, 2) });
    expect(reports.map(({ lr }) => lr)).toEqual([0.05, 0.1, 0.1, 0.05].map((lr) => expect.closeTo(lr, 12)));
  });

  test("two runs are equal to the bit, and so are two halves that share the optimiser's state", async () => {
    const batches = drawn(2, 8);
    const optimizer = adamw({ weightDecay: 0.1 });
    const once = await fit(weightsAt([0, 0]), batches, { optimizer });
    const again = await fit(weightsAt([0, 0]), batches, { optimizer });
    expect(again).toEqual(once);
    const state = optimizer.init(weightsAt([0, 0]));
    const half = await fit(weightsAt([0, 0]), batches.slice(0, 5), { optimizer, state });
    const rest = await fit(half.weights, batches.slice(5), { optimizer, state });
    expect(rest.w).toEqual(once.w);
    expect([...half.reports, ...rest.reports]).toEqual(once.reports);
  });

  test("constrain holds a parameter in its range after each update", async () => {
    const constrain = (weights: Weights) => {
      const { data } = weights.get("w") as Tensor;
      data[0] = Math.min(data[0], 1);
    };
    const { w } = await fit(weightsAt([0, 0]), drawn(1, 60), { constrain });
    expect(w[0]).toBe(1);
  });

  test("an abort ends it with its reason, before the next step", async () => {
    const stop = new AbortController();
    const reason = new Error("enough");
    const steps: number[] = [];
    const run = fit(weightsAt([0, 0]), drawn(1, 9), {
      signal: stop.signal,
      onStep: ({ step }) => {
        steps.push(step);
        if (step === 2) stop.abort(reason);
      },
    });
    await expect(run).rejects.toBe(reason);
    expect(steps).toEqual([1, 2]);
  });

  test("a learning rate far too large is refused as bad input, which says so, and no NaN comes back", async () => {
    const run = fit(weightsAt([0, 0]), drawn(1, 9), { schedule: constantRate(1e15) });
    await expect(run).rejects.toMatchObject({
      name: "TbarError",
      code: "bad-input",
      message: expect.stringMatching(/^training diverged at step \d.*a smaller learning rate helps$/),
    });
  });
});
