import { afterAll, beforeAll, expect, test } from "vitest";
import { grad } from "../graph/grad.ts";
import { constant, input, type Node } from "../graph/node.ts";
import { mul, reduceSum } from "../graph/ops/index.ts";
import { createRuntime, type Runtime } from "../runtime/compile.ts";
import { onnxRuntime } from "../runtime/onnxruntime.ts";
import { tensor } from "../tensor/tensor.ts";
import { convNorm } from "./batch-norm.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = createRuntime(await onnxRuntime({ threads: 1 }));
});
afterAll(() => runtime.release());

/** Two grey images of 3 x 3 under two kernels of one value each. */
const weights = {
  "conv.weight": tensor([2, 1, 1, 1], [1, -2]),
  "bn.weight": tensor([2], [0.5, 2]),
  "bn.bias": tensor([2], [0.1, -0.3]),
  "bn.running_mean": tensor([2], [0.2, -0.1]),
  "bn.running_var": tensor([2], [1.5, 0.7]),
};
const x = tensor(
  [2, 1, 3, 3],
  Array.from({ length: 18 }, (_, i) => (((i * 7) % 11) - 5) / 4),
);
const factors = Float32Array.from({ length: 36 }, (_, i) => (i % 5) - 1.5);

/** Output, gradients of sum(factors output), and the running statistics afterwards. */
async function run(training: boolean) {
  const nodes = new Map(Object.entries(weights).map(([name, { shape }]) => [name, input(name, shape)]));
  const p = (name: string) => nodes.get(name) as Node;
  const pixels = input("x", x.shape);
  const after: Record<string, Node> = {};
  const statistics = (name: string, value: Node) => {
    after[`${name} after`] = value;
  };
  const y = convNorm(pixels, p, { conv: "conv", norm: "bn" }, training ? statistics : undefined);
  const loss = reduceSum(mul(y, constant(factors, y.shape)));
  const [kernel, weight, bias, image] = grad(loss, [p("conv.weight"), p("bn.weight"), p("bn.bias"), pixels]);
  const program = await runtime.compile({ y, kernel, weight, bias, image, ...after });
  const got = await program.run({ ...weights, x });
  return (name: string, count = 4) => [...got[name].data.subarray(0, count)];
}

function expectClose(got: readonly number[], want: readonly number[]) {
  expect(got).toHaveLength(want.length);
  for (const [i, v] of want.entries()) expect(got[i]).toBeCloseTo(v, 4);
}

// values of PyTorch 2.15's BatchNorm2d
test("evaluation: y = (conv(x) - mean) / sqrt(var + eps) w + b by the running statistics, with its gradients", async () => {
  const got = await run(false);
  expectClose(got("y"), [-0.491958, 0.222474, -0.185773, 0.528659]);
  expectClose(got("kernel", 2), [3.265975, -29.880501]);
  expectClose(got("weight", 2), [5.38886, 30.956199]);
  expectClose(got("bias", 2), [7, 9]);
  expectClose(got("image"), [-12.564571, 6.967197, 2.594564, -1.77807]);
});

test("training: by the batch's mean and biased variance; running = 0.9 running + 0.1 batch, its variance unbiased", async () => {
  const got = await run(true);
  expectClose(got("y"), [-0.678872, 0.387844, -0.221708, 0.845008]);
  expectClose(got("kernel", 2), [7.08e-5, -5.91e-5]); // normalisation undoes the kernel's scale, but for eps
  expectClose(got("weight", 2), [9.51579, 15.543673]);
  expectClose(got("bias", 2), [7, 9]);
  expectClose(got("image"), [-2.246006, 2.936994, 4.068006, -2.94011]);
  expectClose(got("bn.running_mean after", 2), [0.182778, -0.095556]);
  expectClose(got("bn.running_var after", 2), [1.421242, 0.914967]);
});
