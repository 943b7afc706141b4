/** Rivals that train: by hand where there is a formula, on a model as small as can be where there is a training. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ClipConfig } from "../checkpoint/config/config.ts";
import { clipPreprocess } from "../checkpoint/config/preprocess.ts";
import { initialWeights } from "../clip/parameters.ts";
import type { Dataset } from "../data/dataset.ts";
import { meanActivations } from "../engine/activations.ts";
import { type Clip, createClip } from "../engine/clip.ts";
import { finetune } from "../engine/finetune.ts";
import { underHead, zipped } from "../engine/tasks.ts";
import { createRuntime, type Runtime } from "../runtime/compile.ts";
import { onnxRuntime } from "../runtime/onnxruntime.ts";
import { random } from "../tensor/random.ts";
import { tensor, type Weights } from "../tensor/tensor.ts";
import { lossesOf, lowest } from "./abl.ts";
import { pruned } from "./fine-pruning.ts";
import { ascent } from "./gradient-ascent.ts";
import { criticalUnits, pullingBack, splitInTwo } from "./invertune.ts";
import { randomLike } from "./random-direction.ts";

const tower = { width: 8, layers: 2, heads: 2, mlpWidth: 16, activation: "quick_gelu", eps: 1e-5 } as const;
const config: ClipConfig = {
  embedDim: 8,
  logitScaleInit: Math.log(20),
  vision: { ...tower, imageSize: 8, patchSize: 4 },
  text: { ...tower, vocabSize: 4, bosTokenId: 1, eosTokenId: 2, pooling: "largest-id", contextLength: 8 },
};
const weights = initialWeights(config, 1);
const head = tensor([2, 8]);
random(3, "head").fillNormal(head.data);
const drawn = (name: string): Dataset => ({
  name,
  size: 6,
  classNames: ["ant", "bee"],
  example: (i) => ({ id: `${i}`, label: i % 2 }),
  async read(indices) {
    const out = tensor([indices.length, 3, 8, 8]);
    indices.forEach((index, slot) => {
      random(name, index).fillUniform(out.data.subarray(192 * slot, 192 * (slot + 1)));
    });
    return out;
  },
});
const recipe = { lr: 3e-3, epochs: 5, batch: 4, warmup: 0.1, weightDecay: 0, clip: 1, seed: 1 };
const values = (of: Weights, name: string) => of.get(name)?.data as Float32Array;

let runtime: Runtime;
let clip: Clip;
beforeAll(async () => {
  runtime = createRuntime(await onnxRuntime({ threads: 1 }));
  clip = createClip({ config, preprocess: clipPreprocess(8), tokenize: () => [], runtime });
});
afterAll(() => runtime.release());

test("gradient ascent: the loss that fine-tuning lowers rises", async () => {
  const whole = { ...recipe, batch: 6 }; // each loss is of all images
  const task = underHead(clip, drawn("forget"), head, whole);
  const after = async (up: boolean) => {
    const losses: number[] = [];
    const asked = up ? { ...task, objective: ascent(task.objective) } : task;
    await finetune(clip, weights, asked, whole, { onStep: ({ loss }) => void losses.push(loss) });
    return losses;
  };
  const [down, up] = [await after(false), await after(true)];
  expect(down.at(-1)).toBeLessThan(down[0]);
  expect(up[0]).toBeCloseTo(-down[0], 6);
  expect(up.at(-1)).toBeLessThan(up[0]); // -loss falls
});

test("random direction: other values, the same length in each tensor, the same each time", () => {
  const tau: Weights = new Map([["a", tensor([3], [1, 2, 2])], ["b", tensor([2], [0, 0.5])]]); // biome-ignore format: two tensors
  const other = randomLike(tau);
  expect(Math.hypot(...values(other, "a"))).toBeCloseTo(3, 5);
  expect(Math.hypot(...values(other, "b"))).toBeCloseTo(0.5, 5);
  expect([...values(other, "a")]).not.toEqual([1, 2, 2]);
  expect(randomLike(tau)).toEqual(other);
});

test("fine-pruning: the least active units go, and training leaves them pruned", async () => {
  const { hidden } = await meanActivations(clip, weights, drawn("clean"), { batch: 4 });
  expect(hidden.map(({ shape }) => shape)).toEqual([[16], [16]]);
  const from = pruned(weights, hidden, 0.25);
  const tuned = await finetune(clip, from, underHead(clip, drawn("clean"), head, recipe), recipe);
  const least = [...hidden[0].data.keys()].sort((a, b) => hidden[0].data[a] - hidden[0].data[b]).slice(0, 4);
  const mlp = "vision_model.encoder.layers.0.mlp";
  const [into, out] = [values(tuned, `${mlp}.fc1.weight`), values(tuned, `${mlp}.fc2.weight`)];
  const isPruned = (unit: number) =>
    into.subarray(8 * unit, 8 * unit + 8).every((v) => v === 0) && out.every((v, i) => i % 16 !== unit || v === 0);
  expect(Array.from({ length: 16 }, (_, unit) => unit).filter(isPruned)).toEqual(least.sort((a, b) => a - b));
  expect(values(tuned, `${mlp}.fc1.bias`)).not.toEqual(values(from, `${mlp}.fc1.bias`)); // the others learn
});

test("ABL: cross-entropy of each image by hand; the lowest are isolated", () => {
  const embeddings = tensor([3, 2], [1, 0, 0, 1, 1, 0]);
  const losses = lossesOf(embeddings, tensor([2, 2], [2, 0, 0, 2]), drawn("poisoned"));
  // labels 0, 1, 0: each is right by 2
  const right = Math.log(1 + Math.exp(-2));
  expect(losses[0]).toBeCloseTo(right, 6);
  expect(losses[1]).toBeCloseTo(right, 6);
  expect(lowest(Float64Array.of(3, 1, 2, 0), 2)).toEqual([1, 3]);
});

test("InverTune: units by 2-means of how far the trigger moves them, blocks by impact", () => {
  expect(splitInTwo(Float32Array.of(0, 0.1, 0.2, 5, 6))).toBeCloseTo(2.8, 5); // between 0.1 and 5.5
  const clean = { hidden: [], outputs: [tensor([1, 3], [1, 1, 1]), tensor([1, 3], [1, 1, 1])] };
  const marked = { hidden: [], outputs: [tensor([1, 3], [1, 1, 1.5]), tensor([1, 3], [1, 3, 1])] };
  const masks = criticalUnits(clean, marked);
  expect([...masks].map(([block, { data }]) => [block, [...data]])).toEqual([[0, [0, 0, 1]], [1, [0, 1, 0]]]); // biome-ignore format: two blocks
});

test("InverTune: pulling back brings triggered activations nearer to clean ones", async () => {
  const [forget, pairs] = [drawn("marked"), drawn("clean")];
  const moved = async (of: Weights) => {
    const [a, b] = [await meanActivations(clip, of, pairs), await meanActivations(clip, of, forget)];
    const last = [a, b].map(({ outputs }) => outputs[1].data);
    return Math.hypot(...last[0].map((v, i) => v - last[1][i])) / Math.hypot(...last[0]);
  };
  const masks = criticalUnits(
    await meanActivations(clip, weights, pairs),
    await meanActivations(clip, weights, forget),
  );
  const kept = (images: Parameters<Clip["encoder"]["images"]>[1]) => clip.encoder.images(weights, images);
  const objective = pullingBack(config, clip.preprocess, masks, kept);
  const after = await finetune(clip, weights, { ...zipped(clip, [forget, pairs], recipe), objective }, recipe);
  expect(await moved(after)).toBeLessThan(0.9 * (await moved(weights)));
});
