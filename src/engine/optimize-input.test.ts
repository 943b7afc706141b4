import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sgd } from "../../test/sgd.ts";
import type { ClipConfig } from "../checkpoint/config/config.ts";
import { clipPreprocess } from "../checkpoint/config/preprocess.ts";
import { initialWeights } from "../clip/parameters.ts";
import { input, type Node } from "../graph/node.ts";
import { mul, reduceSum, reduceSumSquare, sub } from "../graph/ops/index.ts";
import { adam } from "../optim/adam.ts";
import { constantRate } from "../optim/schedule.ts";
import { signSteps } from "../optim/sign.ts";
import { createRuntime, type Runtime } from "../runtime/compile.ts";
import { onnxRuntime } from "../runtime/onnxruntime.ts";
import { random } from "../tensor/random.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { type Clip, createClip } from "./clip.ts";
import { clampTo, type InputOptimization, optimizeInput, perturbed, withPatch } from "./optimize-input.ts";

const S = 16;
const tower = { width: 16, layers: 1, heads: 2, mlpWidth: 32, activation: "quick_gelu", eps: 1e-5 } as const;
const config: ClipConfig = {
  embedDim: 16,
  logitScaleInit: Math.log(20),
  vision: { ...tower, imageSize: S, patchSize: 8 },
  text: { ...tower, vocabSize: 4, bosTokenId: 1, eosTokenId: 2, pooling: "largest-id", contextLength: 8 },
};
const weights = initialWeights(config, 1);
let runtime: Runtime;
let clip: Clip;
beforeAll(async () => {
  runtime = createRuntime(await onnxRuntime({ threads: 1 }));
  clip = createClip({ config, preprocess: clipPreprocess(S), tokenize: () => [], runtime });
});
afterAll(() => runtime.release());

async function* times<T>(count: number, batch: T): AsyncGenerator<T> {
  for (let i = 0; i < count; i++) yield batch;
}

/** |v - goal|^2, in which no image takes part. */
const toGoal = (start: Tensor, goal: Tensor, steps: number, more: Partial<InputOptimization<Tensor>> = {}) =>
  optimizeInput<Tensor>({
    clip,
    weights,
    start,
    feeds: (goal) => ({ goal }),
    loss: ({ variable, feeds }) => reduceSumSquare(sub(variable, feeds.goal)),
    batches: times(steps, goal),
    optimizer: sgd(),
    schedule: constantRate(0.1),
    ...more,
  });

const pixels = tensor([4, 3, S, S]);
random(1, "pixels").fillUniform(pixels.data);
const direction = tensor([1, 16]);
random(2, "direction").fillNormal(direction.data);

/** Mean cosine (times |direction|) of patched images with a direction, to be lowered by a patch at (3, 5). */
const alongDirection = (start: Tensor, steps: number, more: Partial<InputOptimization<Tensor>> = {}) =>
  optimizeInput<Tensor>({
    clip,
    weights,
    start,
    feeds: (pixels) => ({ pixels, direction }),
    loss: ({ variable, feeds, embed }) =>
      reduceSum(mul(embed(withPatch(feeds.pixels, variable, 3, 5)), feeds.direction)),
    batches: times(steps, pixels),
    optimizer: adam(),
    schedule: constantRate(0.05),
    project: clampTo(0, 1),
    ...more,
  });
const grey = () => tensor([3, 4, 4], new Float32Array(48).fill(0.5));

describe("optimizeInput", () => {
  // the gradient of (v - g)^2 is 2 (v - g)
  it("v <- v - lr g, by hand; the start given stays", async () => {
    const start = tensor([2], [1, 0]);
    const found = await toGoal(start, tensor([2], [0, 2]), 1);
    expect([...found.data]).toEqual([1 - 0.2, 0.4].map(Math.fround));
    expect([...start.data]).toEqual([1, 0]);
  });

  it("v <- v - lr sign(g): each value one step, none where g = 0", async () => {
    const found = await toGoal(tensor([3], [1, 0, 5]), tensor([3], [0, 2, 5]), 1, { optimizer: signSteps() });
    expect([...found.data]).toEqual([0.9, 0.1, 5].map(Math.fround));
  });

  it("projected after each step: the closest point of the box", async () => {
    const found = await toGoal(tensor([2], [0, 0]), tensor([2], [3, -0.25]), 60, { project: clampTo(-1, 1) });
    expect(found.data[0]).toBe(1);
    expect(found.data[1]).toBeCloseTo(-0.25, 5);
  });

  it("a generator that reads the loss stops early", async () => {
    let last = Number.POSITIVE_INFINITY;
    async function* untilSmall() {
      while (last > 0.01) yield tensor([1], [1]);
    }
    let steps = 0;
    const onStep = ({ loss, step }: { loss: number; step: number }) => {
      last = loss;
      steps = step;
    };
    await toGoal(tensor([1]), tensor([1]), 0, { batches: untilSmall(), onStep });
    expect(last).toBeLessThanOrEqual(0.01);
    expect(steps).toBe(12); // the loss before step k + 1 is 0.64^k, at most 0.01 from k = 11
  });

  it("the gradient through the image tower is that of finite differences", async () => {
    const losses: number[] = [];
    const lossAt = async (at: Tensor) => {
      await alongDirection(at, 1, { onStep: ({ loss }) => void losses.push(loss) });
      return losses.at(-1) as number;
    };
    const start = grey();
    const moved = await alongDirection(start, 1, { optimizer: sgd(), schedule: constantRate(1), project: undefined });
    const gradient = start.data.map((v, i) => v - moved.data[i]);
    const size = Math.hypot(...gradient);
    const along = (h: number) =>
      tensor(
        start.shape,
        start.data.map((v, i) => v + (h * gradient[i]) / size),
      );
    const slope = ((await lossAt(along(0.02))) - (await lossAt(along(-0.02)))) / 0.04;
    expect(slope / size).toBeCloseTo(1, 2);
  });

  it("a patch learns, the weights do not; equal inputs give an equal patch", async () => {
    const losses: number[] = [];
    const before = new Map([...weights].map(([name, { data }]) => [name, data.slice()]));
    const first = await alongDirection(grey(), 20, { onStep: ({ loss }) => void losses.push(loss) });
    expect(losses.at(-1)).toBeLessThan(losses[0] - 0.5);
    expect([...first.data].every((v) => v >= 0 && v <= 1)).toBe(true);
    for (const [name, data] of before) expect(weights.get(name)?.data).toEqual(data);
    expect(await alongDirection(grey(), 20)).toEqual(first);
  });

  it("stops on abort", async () => {
    const signal = AbortSignal.abort();
    await expect(alongDirection(grey(), 3, { signal })).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("placing", () => {
  const value = async (node: Node, feeds: Record<string, Tensor>) =>
    (await (await runtime.compile({ node })).run(feeds)).node.data;

  it("x[row + a][column + b] = patch[a][b], elsewhere x", async () => {
    const x = tensor(
      [2, 3, 4, 4],
      Float32Array.from({ length: 96 }, (_, i) => i),
    );
    const patch = tensor(
      [3, 2, 2],
      Float32Array.from({ length: 12 }, (_, i) => -1 - i),
    );
    const out = await value(withPatch(input("x", x.shape), input("patch", patch.shape), 2, 1), { x, patch });
    const expected = x.data.slice();
    for (let b = 0; b < 2; b++)
      for (let c = 0; c < 3; c++)
        for (let i = 0; i < 2; i++)
          for (let j = 0; j < 2; j++) expected[((b * 3 + c) * 4 + 2 + i) * 4 + 1 + j] = patch.data[(c * 2 + i) * 2 + j];
    expect(out).toEqual(expected);
  });

  it("x' = clip(x + delta), one delta for all images", async () => {
    const x = tensor([2, 1, 1, 2], [0.25, 0.875, 0.875, 0.25]);
    const delta = tensor([1, 1, 2], [0.25, -0.5]);
    const out = await value(perturbed(input("x", x.shape), input("delta", delta.shape)), { x, delta });
    expect([...out]).toEqual([0.5, 0.375, 1, 0]);
  });
});
