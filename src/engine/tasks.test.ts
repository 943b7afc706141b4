/** What can be learned: the same model under a frozen head, by contrast, and by a loss of one's own made of these. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ClipConfig } from "../checkpoint/config/config.ts";
import { clipPreprocess } from "../checkpoint/config/preprocess.ts";
import { initialWeights } from "../clip/parameters.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Node } from "../graph/node.ts";
import { scale } from "../graph/ops/index.ts";
import { createRuntime, type Runtime } from "../runtime/compile.ts";
import { onnxRuntime } from "../runtime/onnxruntime.ts";
import { random } from "../tensor/random.ts";
import { tensor, type Weights } from "../tensor/tensor.ts";
import { type Clip, createClip } from "./clip.ts";
import { finetune } from "./finetune.ts";
import { gradientsOf } from "./gradients.ts";
import { byContrast, underHead, usualTask } from "./tasks.ts";

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
  expect([labels.steps, pairs.steps]).toEqual([9, 6]); // of pairs no batch is cut: two of four remain of each round
  const byLabels = await finetune(clip, start, labels, recipe);
  const byPairs = await finetune(clip, start, pairs, recipe);
  expect(moved(byLabels).every((name) => /^vis/.test(name))).toBe(true);
  expect(moved(byPairs).some((name) => name.startsWith("text"))).toBe(true);
  expect(moved(byPairs).some((name) => name.startsWith("vis"))).toBe(true);
  expect(await meanLoss(labels, byLabels)).toBeLessThan(await meanLoss(labels, start));
  expect(await meanLoss(pairs, byPairs)).toBeLessThan(await meanLoss(pairs, start));
});

test.each(["classification", "contrastive"] as const)(
  "of the last linear map alone, %s: nothing else moves",
  async (objective) => {
    const asked = { ...recipe, objective, modules: "projection" } as const;
    const tuned = await finetune(clip, start, usualTask(clip, noise(), head, asked), asked);
    expect(moved(tuned)).toEqual(["visual_projection.weight"]);
  },
);

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

test("by contrast every batch is whole, and less than one is refused", async () => {
  const sizes: number[] = [];
  for await (const { pixels } of byContrast(clip, noise(), recipe).batches(0)) sizes.push(pixels.shape[0]);
  expect(sizes).toEqual([4, 4, 4, 4, 4, 4]);
  expect(() => byContrast(clip, noise(), { ...recipe, batch: 11 })).toThrow("of 10 pairs there are none of 11");
});

test("pairs of one class are not each other's negatives, unless all are of one", async () => {
  const masks = async (set: Dataset) => {
    const found: (Float32Array | undefined)[] = [];
    for await (const { mask } of byContrast(clip, set, { ...recipe, epochs: 1 }).batches(0))
      found.push(mask?.data as Float32Array | undefined);
    return found;
  };
  const mixed = await masks(noise());
  expect(mixed.every((mask) => mask?.some((v) => v < -1e8))).toBe(true); // four of three classes: two are of one
  const one = { ...noise(), example: (i: number) => ({ id: `${i}`, label: 1, caption: words[i % 3] }) };
  expect(await masks(one)).toEqual([undefined, undefined]);
});

test.each([
  ["the image tower alone", { train: "image", temperature: "frozen" }, /^(vision_model|visual_projection)\./],
  ["both, temperature frozen", { train: "both", temperature: "frozen" }, /^(vision_model|visual_projection|text)/],
  ["both, temperature learned", { train: "both", temperature: "learned" }, /./],
] as const)("by contrast what learns: %s", async (_, asked, names) => {
  const tuned = await finetune(clip, start, byContrast(clip, noise(), { ...recipe, ...asked }), recipe);
  const changed = moved(tuned);
  expect(changed.every((name) => names.test(name))).toBe(true);
  expect(changed.some((name) => name.startsWith("text"))).toBe(asked.train === "both");
  expect(changed.includes("logit_scale")).toBe(asked.temperature === "learned");
});

test("a learned temperature is held to 100, as OpenAI's is", async () => {
  const hot = new Map([...start, ["logit_scale", tensor([], [Math.log(99.9)])]]);
  const task = byContrast(clip, noise(), recipe);
  const up = { ...task.objective, loss: (p: (name: string) => Node) => scale(p("logit_scale"), -1) };
  const tuned = await finetune(clip, hot, { ...task, objective: up }, { ...recipe, lr: 1 });
  expect(tuned.get("logit_scale")?.data[0]).toBeCloseTo(Math.log(100), 6);
});

test("a recipe names its task: labels unless told", async () => {
  const kinds = async (objective?: "classification" | "contrastive") => {
    for await (const batch of usualTask(clip, noise(), head, { ...recipe, objective }).batches(0))
      return Object.keys(batch);
  };
  expect(await kinds()).toEqual(["pixels", "labels"]);
  expect(await kinds("classification")).toEqual(["pixels", "labels"]);
  expect(await kinds("contrastive")).toEqual(["pixels", "text", "captions", "mask"]);
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
