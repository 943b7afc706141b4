/**
 * Moments of what the image tower's linear maps read, and the regressed vector, against PyTorch (scripts/golden/moments.py, float64), where the vector is
 * fitted by least squares on the inputs themselves. Weights and images follow from the same congruence.
 */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ridge } from "../../src/arithmetic/regression.ts";
import { type ClipConfig, parameterShapes } from "../../src/checkpoint/config/config.ts";
import { clipPreprocess } from "../../src/checkpoint/config/preprocess.ts";
import type { Dataset } from "../../src/data/dataset.ts";
import { regressedVector } from "../../src/defenses/regressed.ts";
import type { Clip } from "../../src/engine/clip.ts";
import { inputMoments, type Moments, product } from "../../src/engine/moments.ts";
import { createRuntime, type Runtime } from "../../src/runtime/compile.ts";
import { onnxRuntime } from "../../src/runtime/onnxruntime.ts";
import { sizeOf, type Tensor, tensor, type Weights } from "../../src/tensor/tensor.ts";
import { difference } from "./agreement.ts";
import { floats, values as numbers } from "./tiny-pairs.ts";

interface Recorded {
  readonly step: string;
  readonly spread: string;
  readonly mean: string;
  readonly weight: string;
  readonly bias: string;
}
const golden: { readonly lambda: number; readonly maps: Readonly<Record<string, Recorded>> } = JSON.parse(
  readFileSync("test/golden/files/moments.json", "utf8"),
);

const [S, B] = [12, 4];
const tower = { width: 16, layers: 2, heads: 2, mlpWidth: 32, activation: "quick_gelu", eps: 1e-5 } as const;
const config: ClipConfig = {
  embedDim: 8,
  logitScaleInit: 1.5,
  vision: { ...tower, imageSize: S, patchSize: 4 },
  text: { ...tower, vocabSize: 11, bosTokenId: 1, eosTokenId: 2, pooling: "first-eos", contextLength: 6 },
};
const preprocess = clipPreprocess(S);
const values = (seed: number, shape: readonly number[]): Tensor => ({ shape, data: numbers(seed, sizeOf(shape)) });
const shapes = parameterShapes(config);
const weights: Weights = new Map(
  [...shapes.keys()]
    .sort((a, b) => (a < b ? -1 : 1))
    .map((name, i) => {
      const { shape, data } = values(101 + i, shapes.get(name) as readonly number[]);
      const isNorm = /norm.*weight$/.test(name);
      return [name, { shape, data: data.map((v) => (isNorm ? 1 + 0.1 * v : 0.5 * v)) }];
    }),
);
/** Read `images` at a time, so that moments are of several batches. */
function dataset(seed: number): Dataset {
  const { data } = values(seed, [B, 3, S, S]);
  const size = 3 * S * S;
  return {
    name: `seed ${seed}`,
    size: B,
    example: (i) => ({ id: `${i}` }),
    read: async (indices) =>
      tensor([indices.length, 3, S, S], indices.flatMap((i) => [...data.subarray(i * size, (i + 1) * size)].map((v) => Math.fround(0.5 + 0.4 * v)))), // biome-ignore format: one line
  };
}

const none: Dataset = { ...dataset(1), size: 0 };

let runtime: Runtime;
let moments: readonly Moments[];
beforeAll(async () => {
  runtime = createRuntime(await onnxRuntime({ threads: 1 }));
  const clip = { config, preprocess, runtime } as Clip; // neither text nor whole embeddings are asked for
  moments = await inputMoments(clip, weights, { triggered: dataset(2), pairs: dataset(1), clean: none }, { batch: 3 });
});
afterAll(() => runtime.release());

const by = (a: Tensor, b: Tensor) => product(runtime, a, b);
const names = Object.keys(golden.maps);
const tolerance = 2e-5;
/** What is left of float32's digits after moments are inverted whose least share is the ridge, 1e-4: four rows of 16 values. */
const inverted = 3e-3;

test("each map that reads what is as wide as the tower, once; those of one value together", () => {
  const maps = moments.map(({ maps }) => maps.map((name) => name.replace(/^.*layers\.|\.weight$/g, "")));
  expect(maps).toEqual([
    ["0.self_attn.q_proj", "0.self_attn.k_proj", "0.self_attn.v_proj"],
    ["0.self_attn.out_proj"],
    ["0.mlp.fc1"],
    ["1.self_attn.q_proj"], // of the class token alone
    ["1.self_attn.k_proj", "1.self_attn.v_proj"],
    ["1.self_attn.out_proj"],
    ["1.mlp.fc1"],
    ["visual_projection"],
  ]);
  expect(moments.flatMap(({ maps }) => maps).sort()).toEqual(names.map((name) => `${name}.weight`).sort());
});

test.each(names)("moments: %s", (name) => {
  const of = moments.find(({ maps }) => maps.includes(`${name}.weight`)) as Moments;
  for (const what of ["step", "spread", "mean"] as const)
    expect(difference(of[what].data, floats(golden.maps[name][what]), what)).toBeLessThanOrEqual(tolerance);
});

test("the regressed vector", async () => {
  const tau = new Map(
    names.flatMap((name, i): [string, Tensor][] => {
      const weight = weights.get(`${name}.weight`) as Tensor;
      const bias = weights.get(`${name}.bias`);
      // of a bias's own tau nothing is left: the trigger makes no step in it
      return [[`${name}.weight`, values(301 + i, weight.shape)], ...(bias === undefined ? [] : [[`${name}.bias`, values(7, bias.shape)] as [string, Tensor]])]; // biome-ignore format: one line
    }),
  );
  const other = ["vision_model.post_layernorm.weight", tensor([16])] as const;
  const fitted = await regressedVector(new Map([...tau, other]), moments, golden.lambda, by);
  expect([...fitted.keys()].sort()).toEqual([...tau.keys()].sort());
  for (const name of names)
    for (const what of ["weight", "bias"] as const) {
      const want = floats(golden.maps[name][what]);
      const got = fitted.get(`${name}.${what}`)?.data ?? [];
      expect(difference(got, want, `${name}.${what}`), `${name}.${what}`).toBeLessThanOrEqual(inverted);
    }
});

test("a vector without biases is fitted without them, and a map that it leaves alone stays", async () => {
  const [{ maps, step, mean, spread }] = moments;
  const tau: Weights = new Map([[maps[1], values(5, [16, 16])]]);
  const fitted = await regressedVector(tau, moments, golden.lambda, by);
  expect([...fitted.keys()]).toEqual([maps[1]]);
  // the least of |M s - tau s|^2 + lambda |M x|^2: its gradient, 2 (M (S + lambda C) - tau S), with the ridge, is nothing beside tau S
  const A = step.data.map(
    (v, at) => v + golden.lambda * (spread.data[at] + mean.data[Math.floor(at / 16)] * mean.data[at % 16]),
  );
  const few = (ridge * A.reduce((sum, v, at) => sum + (at % 17 === 0 ? v : 0), 0)) / 16;
  const [M, t] = [fitted, tau].map((of) => of.get(maps[1])?.data as Float32Array);
  let [gradient, whole] = [0, 0];
  for (let o = 0; o < 16; o++)
    for (let i = 0; i < 16; i++) {
      let [a, b] = [0, 0];
      for (let k = 0; k < 16; k++) {
        a += M[o * 16 + k] * (A[k * 16 + i] + (k === i ? few : 0));
        b += t[o * 16 + k] * step.data[k * 16 + i];
      }
      [gradient, whole] = [Math.max(gradient, Math.abs(a - b)), Math.max(whole, Math.abs(b))];
    }
  expect(gradient / whole).toBeLessThan(1e-4);
});

test("more clean images: the trigger's step stays, mean and spread are of all", async () => {
  const clip = { config, preprocess, runtime } as Clip;
  const images = { triggered: dataset(2), pairs: dataset(1), clean: dataset(2) };
  const [more, first, second] = [
    await inputMoments(clip, weights, images),
    moments,
    await inputMoments(clip, weights, { triggered: dataset(1), pairs: dataset(2), clean: none }),
  ];
  for (const [i, { maps, step, mean, spread }] of more.entries()) {
    const [a, b] = [first[i], second[i]];
    expect(maps).toEqual(a.maps);
    expect(difference(step.data, a.step.data, "step")).toBeLessThanOrEqual(tolerance);
    const middle = a.mean.data.map((v, k) => (v + b.mean.data[k]) / 2);
    expect(difference(mean.data, middle, "mean")).toBeLessThanOrEqual(tolerance);
    // half of both spreads and half of what the means lie apart, squared
    const apart = a.mean.data.map((v, k) => (v - b.mean.data[k]) / 2);
    const whole = a.spread.data.map(
      (v, at) => (v + b.spread.data[at]) / 2 + apart[Math.floor(at / 16)] * apart[at % 16],
    );
    expect(difference(spread.data, whole, "spread")).toBeLessThanOrEqual(tolerance);
  }
});

test("without pairs: what triggered images' second moments about the clean mean are more than the clean spread", async () => {
  const clip = { config, preprocess, runtime } as Clip;
  const unpaired = await inputMoments(clip, weights, { triggered: dataset(2), clean: dataset(1) }, { batch: 3 });
  const both = await inputMoments(clip, weights, { triggered: dataset(2), pairs: dataset(1), clean: dataset(2) });
  for (const [i, { maps, step, mean, spread }] of unpaired.entries()) {
    const [clean, union] = [moments[i], both[i]];
    expect(maps).toEqual(clean.maps);
    expect(difference(mean.data, clean.mean.data, "mean")).toBeLessThanOrEqual(tolerance);
    expect(difference(spread.data, clean.spread.data, "spread")).toBeLessThanOrEqual(tolerance);
    // of as many images of both kinds the spread is (A + B) / 2 + d d^T / 4, the mean half of d = a - b from either's: A + d d^T - B
    const half = union.mean.data.map((v, k) => v - clean.mean.data[k]);
    const want = union.spread.data.map((v, at) => 2 * (v - clean.spread.data[at]) + 2 * half[Math.floor(at / 16)] * half[at % 16]); // biome-ignore format: one line
    expect(difference(step.data, want, "step")).toBeLessThanOrEqual(tolerance);
  }
});

test("SigLIP: the maps of its blocks and of its pooling head, but for the stacked weights that attention reads there", async () => {
  const { vision, text } = config;
  const siglip: ClipConfig = {
    ...{ embedDim: 16, logitScaleInit: 1 },
    vision: {
      ...(vision as typeof tower & { imageSize: number; patchSize: number }),
      kind: "siglip",
      activation: "gelu_pytorch_tanh",
    },
    text: { ...text, pooling: "last" },
  };
  const own: Weights = new Map([...parameterShapes(siglip)].map(([name, shape], i) => [name, values(201 + i, shape)]));
  const clip = { config: siglip, preprocess, runtime } as Clip;
  const found = await inputMoments(clip, own, { triggered: dataset(2), pairs: dataset(1), clean: none });
  const maps = found.map(({ maps }) => maps.map((name) => name.replace(/^vision_model\.(encoder\.)?|\.weight$/g, "")));
  const block = (n: number) => [
    ["q", "k", "v"].map((one) => `layers.${n}.self_attn.${one}_proj`),
    [`layers.${n}.self_attn.out_proj`],
    [`layers.${n}.mlp.fc1`],
  ];
  expect(maps).toEqual([...block(0), ...block(1), ["head.attention.out_proj"], ["head.mlp.fc1"]]);
  for (const { step } of found) expect(step.data.some((v) => v > 0)).toBe(true);
});

test("other images beside are refused", async () => {
  const clip = { config, preprocess, runtime } as Clip;
  const few = { ...dataset(1), size: 3 };
  await expect(inputMoments(clip, weights, { triggered: dataset(2), pairs: few, clean: none })).rejects.toThrow(
    "4 images beside 3",
  );
});
