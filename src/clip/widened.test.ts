import { expect, test } from "vitest";
import type { ClipConfig } from "../checkpoint/config/config.ts";
import { clipPreprocess } from "../checkpoint/config/preprocess.ts";
import { createEncoder } from "../engine/encoder.ts";
import { classification } from "../engine/objectives.ts";
import { train } from "../engine/train.ts";
import { adamw } from "../optim/adamw.ts";
import { constantRate } from "../optim/schedule.ts";
import { createRuntime } from "../runtime/compile.ts";
import { onnxRuntime } from "../runtime/onnxruntime.ts";
import { random } from "../tensor/random.ts";
import { type Tensor, tensor, type Weights } from "../tensor/tensor.ts";
import { initialWeights } from "./parameters.ts";
import { narrowed, widened } from "./widened.ts";

const tower = { width: 16, layers: 2, heads: 2, eps: 1e-5 } as const;
const text = { ...tower, mlpWidth: 1024, activation: "gelu", contextLength: 8, vocabSize: 20 } as const;
const configOf = (activation: ClipConfig["text"]["activation"], mlpWidth = 1024): ClipConfig => ({
  embedDim: 8,
  logitScaleInit: Math.log(10),
  vision: { ...tower, mlpWidth, activation, imageSize: 16, patchSize: 8 },
  text: { ...text, pooling: "largest-id" },
});
const layer = "vision_model.encoder.layers.1.mlp";
const preprocess = clipPreprocess(16);
const pixels = tensor([3, 3, 16, 16]);
random(1).fillUniform(pixels.data);

test("hidden layers whose rows lie 4096 bytes apart get 16 zeros; all else is shared", () => {
  const weights = initialWeights(configOf("gelu"), 1);
  const wide = widened(weights);
  const changed = [...wide].filter(([name, value]) => value !== weights.get(name)).map(([name]) => name);
  expect(changed.filter((name) => name.startsWith(layer))).toEqual(
    ["fc1.weight", "fc1.bias", "fc2.weight"].map((part) => `${layer}.${part}`),
  );
  expect(changed).toHaveLength(6);
  const { shape, data } = wide.get(`${layer}.fc2.weight`) as Tensor;
  const row = (weights.get(`${layer}.fc2.weight`) as Tensor).data.subarray(1024, 2048);
  expect(shape).toEqual([16, 1040]);
  expect([...data.subarray(1040, 2080)]).toEqual([...row, ...new Float32Array(16)]);
  expect(wide.get(`${layer}.fc1.weight`)?.shape).toEqual([1040, 16]);
  const same = narrowed(new Map([...wide].map(([name, { ...value }]) => [name, value])), wide, weights);
  expect([...same]).toEqual([...weights]);
  expect(narrowed(wide, wide, weights).get(`${layer}.fc1.bias`)).toBe(weights.get(`${layer}.fc1.bias`));
  const other = initialWeights(configOf("gelu", 64), 1);
  expect([...widened(other)].every(([name, value]) => value === other.get(name))).toBe(true);
});

test.each(["quick_gelu", "gelu", "gelu_pytorch_tanh"] as const)(
  "%s: the same embeddings and the same training",
  async (activation) => {
    const runtime = createRuntime(await onnxRuntime({ threads: 1 }));
    const config = configOf(activation);
    const weights = initialWeights(config, 1);
    const encoder = createEncoder(runtime, config, preprocess, () => []);
    const want = await encoder.images(weights, pixels);
    await encoder.prepack(weights);
    const got = await encoder.images(weights, pixels);
    for (const [i, v] of want.data.entries()) expect(got.data[i]).toBeCloseTo(v, 5);

    const head = tensor([4, 8]);
    random(2).fillNormal(head.data);
    const learn = (start: Weights) =>
      train(start, {
        runtime,
        objective: classification(config, preprocess, head),
        batches: (async function* () {
          for (let i = 0; i < 3; i++) yield { pixels, labels: Int32Array.of(0, 1, 2) };
        })(),
        optimizer: adamw({ weightDecay: 0.1 }),
        schedule: constantRate(1e-3),
        clip: 1,
      });
    const wide = widened(weights);
    const trained = await learn(wide);
    expect([...(trained.get(`${layer}.fc1.weight`) as Tensor).data.subarray(1024 * 16)]).toEqual(Array(256).fill(0));
    const found = narrowed(trained, wide, weights);
    for (const [name, { shape, data }] of await learn(weights)) {
      expect(found.get(name)?.shape).toEqual(shape);
      const error = Math.max(...data.map((v, i) => Math.abs(v - (found.get(name) as Tensor).data[i])));
      expect(error, name).toBeLessThan(2e-4); // three steps of 1e-3; Adam's first steps divide rounding by rounding where a gradient is almost 0
    }
    await runtime.release();
  },
);
