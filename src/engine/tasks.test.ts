/** What can be learned: the same model under a frozen head, by contrast, and by a loss of one's own made of these. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ClipConfig } from "../checkpoint/config/config.ts";
import { clipPreprocess } from "../checkpoint/config/preprocess.ts";
import { initialWeights } from "../clip/parameters.ts";
import type { Dataset } from "../data/dataset.ts";
import { scale } from "../graph/ops/index.ts";
import { createRuntime, type Runtime } from "../runtime/compile.ts";
import { onnxRuntime } from "../runtime/onnxruntime.ts";
import { random } from "../tensor/random.ts";
import { tensor, type Weights } from "../tensor/tensor.ts";
import { type Clip, createClip } from "./clip.ts";
import { finetune } from "./finetune.ts";
import { gradientsOf } from "./gradients.ts";
import { byContrast, underHead } from "./tasks.ts";

const tower = { width: 16, layers: 1, heads: 2, mlpWidth: 32, activation: "quick_gelu", eps: 1e-5 } as const;
const config: ClipConfig = {
  embedDim: 8,
  logitScaleInit: 2,
  vision: { ...tower, imageSize: 32, patchSize: 16 },
  text: { ...tower, contextLength: 8, vocabSize: 20, pooling: "largest-id" },
};
const words = ["zero", "one", "two"];
/** Ten images of noise in three classes, each with a caption of its class. */
const noise = (captions = true): Dataset => ({
  name: "noise",
  size: 10,
  example: (i) => ({ id: `${i}`, label: i % 3, ...(captions && { caption: words[i % 3] }) }),
  async read(indices, { cropSize: size }) {
    const pixels = tensor([indices.length, 3, size, size]);
    const length = 3 * size * size;
    for (const [row, i] of indices.entries())
      random("noise", i).fillUniform(pixels.data.subarray(row * length, (row + 1) * length));
    return pixels;
  },
});
const head = tensor([3, 8]);
random(2).fillNormal(head.data, 0, 5);
const recipe = { lr: 1e-2, epochs: 3, batch: 4, warmup: 0.2, weightDecay: 0, clip: 1, seed: 5 };

let runtime: Runtime;
let clip: Clip;
let start: Weights;
beforeAll(async () => {
  runtime = createRuntime(await onnxRuntime({ threads: 1 }));
  const tokenize = (text: string) => [17, 1 + words.indexOf(text), 19];
  clip = createClip({ config, preprocess: clipPreprocess(32), tokenize, runtime });
  start = initialWeights(config, 1);
});
afterAll(() => runtime.release());

const moved = (tuned: Weights) =>
  [...tuned].filter(([name, { data }]) => data.some((v, i) => v !== start.get(name)?.data[i])).map(([name]) => name);
const meanLoss = async <Batch>(
  {
    objective,
    batches,
  }: { objective: Parameters<typeof gradientsOf<Batch>>[1]; batches(from: number): AsyncIterable<Batch> },
  at: Weights,
) => {
  const gradients = gradientsOf(runtime, objective, at);
  const losses: number[] = [];
  for await (const batch of batches(0)) losses.push((await gradients(at, batch)).loss);
  return losses.reduce((a, b) => a + b, 0) / losses.length;
};

test("under a frozen head the image tower alone learns; by contrast both towers, and the loss falls in both", async () => {
  const labels = underHead(clip, noise(), head, recipe);
  const pairs = byContrast(clip, noise(), recipe);
  expect([labels.steps, pairs.steps]).toEqual([9, 9]);
  const byLabels = await finetune(clip, start, labels, recipe);
  const byPairs = await finetune(clip, start, pairs, recipe);
  expect(moved(byLabels).every((name) => /^vis/.test(name))).toBe(true);
  expect(moved(byPairs).some((name) => name.startsWith("text"))).toBe(true);
  expect(moved(byPairs).some((name) => name.startsWith("vis"))).toBe(true);
  expect(await meanLoss(labels, byLabels)).toBeLessThan(await meanLoss(labels, start));
  expect(await meanLoss(pairs, byPairs)).toBeLessThan(await meanLoss(pairs, start));
});

test("batches begin at a step: those of a task that goes on are those that were left", async () => {
  const all: string[] = [];
  const rest: string[] = [];
  const pairs = byContrast(clip, noise(), recipe);
  for await (const { text } of pairs.batches(0)) all.push(String(text.tokens.data));
  for await (const { text } of pairs.batches(5)) rest.push(String(text.tokens.data));
  expect(rest).toEqual(all.slice(5));
});

test("an image without a caption is refused by contrast", async () => {
  await expect(finetune(clip, start, byContrast(clip, noise(false), recipe), recipe)).rejects.toThrow(
    "noise: an image among",
  );
});

test("a loss of one's own: the usual one with another sign climbs where that one falls", async () => {
  const usual = underHead(clip, noise(), head, recipe);
  const { objective } = usual;
  const ascent = {
    ...usual,
    objective: {
      ...objective,
      loss: (...given: Parameters<typeof objective.loss>) => scale(objective.loss(...given), -1),
    },
  };
  const climbed = await finetune(clip, start, ascent, recipe);
  expect(await meanLoss(usual, climbed)).toBeGreaterThan(await meanLoss(usual, start));
});
