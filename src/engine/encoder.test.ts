import { afterAll, beforeAll, expect, test } from "vitest";
import type { ClipConfig } from "../checkpoint/config/config.ts";
import { clipPreprocess } from "../checkpoint/config/preprocess.ts";
import { initialWeights } from "../clip/parameters.ts";
import { createRuntime, type Runtime } from "../runtime/compile.ts";
import { onnxRuntime } from "../runtime/onnxruntime.ts";
import { random } from "../tensor/random.ts";
import { tensor, type Weights } from "../tensor/tensor.ts";
import { createEncoder } from "./encoder.ts";

const tower = { width: 16, layers: 2, heads: 2, mlpWidth: 32, activation: "quick_gelu", eps: 1e-5 } as const;
const config: ClipConfig = {
  embedDim: 8,
  logitScaleInit: Math.log(10),
  vision: { ...tower, imageSize: 16, patchSize: 8 },
  text: { ...tower, contextLength: 8, vocabSize: 20, pooling: "largest-id" },
};

let runtime: Runtime;
beforeAll(async () => {
  runtime = createRuntime(await onnxRuntime({ threads: 1 }));
});
afterAll(() => runtime.release());

test("more shapes side by side than are kept: none is freed while it runs", async () => {
  const weights = initialWeights(config, 1);
  const encoder = createEncoder(runtime, config, clipPreprocess(16), () => []);
  const sizes = [1, 2, 3, 4, 5, 6, 7, 1, 2];
  const batches = sizes.map((n) => tensor([n, 3, 16, 16]));
  const found = await Promise.all(batches.map((pixels) => encoder.images(weights, pixels)));
  expect(found.map(({ shape }) => shape)).toEqual(sizes.map((n) => [n, 8]));
});

test("prepacked weights give the same embeddings, others still their own, and after a release all of them again", async () => {
  const [weights, others] = [initialWeights(config, 1), initialWeights(config, 2)];
  const pixels = tensor([3, 3, 16, 16]);
  random(1).fillUniform(pixels.data);
  const plain = createEncoder(runtime, config, clipPreprocess(16), () => []);
  const holding = createEncoder(runtime, config, clipPreprocess(16), () => []);
  const agree = async (these: Weights) => {
    const want = await plain.images(these, pixels);
    const got = await holding.images(these, pixels);
    for (const [i, v] of want.data.entries()) expect(got.data[i]).toBeCloseTo(v, 5);
  };
  await holding.prepack(weights);
  for (const these of [weights, others, weights]) await agree(these);
  await holding.prepack(others);
  for (const these of [weights, others]) await agree(these);
  await holding.release();
  for (const these of [weights, others]) await agree(these);
});
