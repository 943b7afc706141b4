/** Low-rank factors: what comes out are weights like any others, W0 + (a / r) B A where there is a matrix, and W0 itself elsewhere. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ClipConfig, parameterShapes } from "../checkpoint/config/config.ts";
import { clipPreprocess } from "../checkpoint/config/preprocess.ts";
import { openSafetensors } from "../checkpoint/formats/safetensors.ts";
import { initialWeights } from "../clip/parameters.ts";
import { widened } from "../clip/widened.ts";
import type { Dataset } from "../data/dataset.ts";
import { createRuntime, type Runtime } from "../runtime/compile.ts";
import { onnxRuntime } from "../runtime/onnxruntime.ts";
import { random } from "../tensor/random.ts";
import { sizeOf, type Tensor, tensor } from "../tensor/tensor.ts";
import { createClip } from "./clip.ts";
import { finetune, type Resumable } from "./finetune.ts";
import { gradientsOf } from "./gradients.ts";
import { learnedValues, momentBytes } from "./learned-values.ts";
import { lowRank, merge } from "./lora.ts";
import { classification } from "./objectives.ts";
import { labelled, underHead } from "./tasks.ts";

// hidden layers of 1024 are widened in training
const tower = { width: 16, layers: 2, heads: 2, mlpWidth: 1024, activation: "quick_gelu", eps: 1e-5 } as const;
const config: ClipConfig = {
  embedDim: 8,
  logitScaleInit: 2,
  vision: { ...tower, imageSize: 16, patchSize: 8 },
  text: { ...tower, contextLength: 8, vocabSize: 20, pooling: "largest-id" },
};
const start = initialWeights(config, 1);
const preprocess = clipPreprocess(16);
const noise: Dataset = {
  name: "noise",
  size: 8,
  example: (i) => ({ id: `${i}`, label: i % 3 }),
  async read(indices) {
    const pixels = tensor([indices.length, 3, 16, 16]);
    for (const [row, i] of indices.entries()) random("noise", i).fillUniform(pixels.data.subarray(row * 768, (row + 1) * 768)); // biome-ignore format: one line
    return pixels;
  },
};
const head = tensor([3, 8]);
random(2).fillNormal(head.data, 0, 5);

let runtime: Runtime;
let folder: string;
beforeAll(async () => {
  runtime = createRuntime(await onnxRuntime({ threads: 1 }));
  folder = await mkdtemp(join(tmpdir(), "tbar-lora-"));
});
afterAll(async () => {
  await runtime.release();
  await rm(folder, { recursive: true });
});

const recipe = { lr: 1e-2, epochs: 3, batch: 4, warmup: 0.2, weightDecay: 0, clip: 1, seed: 5 };
const lora = { ...recipe, modules: "lora", rank: 2 } as const;
const run = (watch: Resumable = {}) => {
  const clip = createClip({ config, preprocess, tokenize: () => [], runtime });
  return finetune(clip, start, underHead(clip, noise, head, lora), lora, watch);
};

test("W = W0 + (16 / 2) B A of the factors that were learned, for every matrix of the image tower and nothing else", async () => {
  const path = join(folder, "state.safetensors");
  const tuned = await run({ keep: { path, recipe: "lora" } });
  expect([...tuned.keys()]).toEqual([...start.keys()]);
  const changed = [...tuned].filter(([name, value]) => value !== start.get(name)).map(([name]) => name);
  const matrices = [...parameterShapes(config)].filter(([name, shape]) => /^vis/.test(name) && shape.length === 2 && !/embedding/.test(name)); // biome-ignore format: one line
  expect(changed.sort()).toEqual(matrices.map(([name]) => name).sort());
  expect(changed).toHaveLength(2 * 6 + 1);

  const file = await openSafetensors(path);
  for (const name of changed) {
    const [a, b] = [await file.read(`weights/${name}.lora_A`), await file.read(`weights/${name}.lora_B`)];
    const { shape, data } = tuned.get(name) as Tensor;
    const [to, from] = shape;
    const wide = a.shape[1];
    for (const [o, i] of [
      [0, 0],
      [1, from - 1],
      [to - 1, 3],
      [to - 1, from - 1],
    ] as const) {
      const product = [0, 1].reduce((sum, k) => sum + b.data[2 * o + k] * a.data[k * wide + i], 0);
      const w = (start.get(name) as Tensor).data[o * from + i];
      expect(data[o * from + i]).toBe(Math.fround(w + 8 * b.data[2 * o] * a.data[i] + 8 * b.data[2 * o + 1] * a.data[wide + i])); // biome-ignore format: one line
      expect(product).not.toBe(0);
    }
  }
  await file.close();
});

test("killed and resumed it ends where one run does, bit for bit", async () => {
  const keep = { path: join(folder, "killed.safetensors"), recipe: "lora", saveEvery: 0 };
  const stop = new AbortController();
  const killed = run({ keep, signal: stop.signal, onStep: ({ step }) => void (step === 3 && stop.abort()) });
  await expect(killed).rejects.toMatchObject({ name: "AbortError" });
  expect(await run({ keep })).toEqual(await run());
});

test("rows that training adds to a hidden layer have no part in it: the same loss and gradients without them", async () => {
  const objective = classification(config, preprocess, head);
  const order = { batch: 4, epochs: 1, seed: 1, preprocess };
  const results = [];
  for (const wide of [start, widened(start)]) {
    const low = lowRank(objective, { start, wide }, lora);
    const weights = new Map([...low.start].map(([name, value]) => [name, /lora_B$/.test(name) ? grown(value) : value]));
    for await (const batch of labelled(noise, order)) {
      const { loss, of } = await gradientsOf(runtime, low.objective, weights)(weights, batch);
      results.push({ loss, a: of.get("vision_model.encoder.layers.0.mlp.fc2.weight.lora_A") as Tensor });
      break;
    }
  }
  const [plain, wide] = results;
  expect(wide.a.shape).toEqual([2, 1040]);
  expect(Math.abs(plain.loss - wide.loss)).toBeLessThan(1e-5);
  const most = Math.max(...plain.a.data.map(Math.abs));
  for (const k of [0, 1]) {
    for (let i = 0; i < 1024; i += 51) expect(Math.abs(plain.a.data[k * 1024 + i] - wide.a.data[k * 1040 + i])).toBeLessThan(1e-5 * most); // biome-ignore format: one line
    expect([...wide.a.data.subarray(k * 1040 + 1024, (k + 1) * 1040)]).toEqual(new Array(16).fill(0));
  }
});

/** As if a step had been taken: zeros but in the first 16 rows. */
const grown = ({ shape, data }: Tensor): Tensor => ({ shape, data: data.map((_, i) => (i < 32 ? 0.01 * ((i % 5) - 2) : 0)) }); // biome-ignore format: one line

test("merged by hand: [[1, 2], [3, 4]] + 2 [1, -1]^T [5, 7]", () => {
  const w = { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) };
  const [a, b] = [
    { shape: [1, 2], data: Float32Array.of(5, 7) },
    { shape: [2, 1], data: Float32Array.of(1, -1) },
  ];
  expect([...merge(w, a, b, 2).data]).toEqual([11, 16, -7, -10]);
});

test("moments are of what learns alone", () => {
  const vision = [...parameterShapes(config)].filter(([name]) => /^vis/.test(name));
  expect(learnedValues(config, {})).toBe(vision.reduce((n, [, shape]) => n + sizeOf(shape), 0));
  expect(learnedValues(config, { modules: "projection" })).toBe(8 * 16);
  // of two blocks four matrices 16 x 16 and two of 16 x 1024, and the projection
  const factors = 2 * (2 * (4 * 32 + 2 * 1040) + 24);
  expect(learnedValues(config, { modules: "lora", rank: 2 })).toBe(factors);
  expect(momentBytes(config, { modules: "lora", rank: 2 })).toBe(8 * factors);
  const vit = { ...config, embedDim: 512, vision: { ...tower, width: 768, layers: 12, heads: 12, mlpWidth: 3072, imageSize: 224, patchSize: 32 } }; // biome-ignore format: one line
  expect(momentBytes(vit, { modules: "lora" }) / 1e6).toBeCloseTo(10.7, 1);
  expect(momentBytes(vit, {}) / 1e6).toBeCloseTo(703, 0);
  const both = { objective: "contrastive", train: "both", temperature: "frozen", modules: "lora", rank: 2 } as const;
  expect(learnedValues(config, both)).toBe(2 * factors);
});
