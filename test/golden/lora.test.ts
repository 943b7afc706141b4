/**
 * Gradients of low-rank factors against PyTorch's autograd on transformers' CLIP (scripts/golden/lora.py, float64): of labels in the image
 * tower, by contrast in both. Weights, factors and inputs follow from the same congruence.
 */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parameterShapes } from "../../src/checkpoint/config/config.ts";
import { clipPreprocess } from "../../src/checkpoint/config/preprocess.ts";
import { tokenBatch } from "../../src/clip/tokens.ts";
import { gradientsOf, type Objective } from "../../src/engine/gradients.ts";
import { lowRank } from "../../src/engine/lora.ts";
import { classification, contrastive } from "../../src/engine/objectives.ts";
import { createRuntime, type Runtime } from "../../src/runtime/compile.ts";
import { onnxRuntime } from "../../src/runtime/onnxruntime.ts";
import { sizeOf, type Weights } from "../../src/tensor/tensor.ts";
import { difference } from "./agreement.ts";
import { B, bos, config, eos, floats, S, values } from "./tiny-pairs.ts";

interface Recorded {
  readonly value: number;
  readonly gradients: Readonly<Record<string, string>>;
}
const golden: Readonly<Record<"labels" | "pairs", Recorded>> = JSON.parse(
  readFileSync("test/golden/files/lora.json", "utf8"),
);

const [rank, classes] = [3, 5];

const names = [...parameterShapes(config)].sort(([a], [b]) => (a < b ? -1 : 1));
const weights: Weights = new Map(
  names.map(([name, shape], i) => {
    const isNorm = /norm.*weight$/.test(name);
    const data = values(101 + i, sizeOf(shape)).map((v) => (isNorm ? 1 + 0.1 * v : 0.5 * v));
    return [name, { shape, data: name === "logit_scale" ? Float32Array.of(Math.log(20)) : data }];
  }),
);
/** Those of both towers, in the order of their matrices' names. */
const factors: Weights = new Map(
  names
    .filter(([name, shape]) => shape.length === 2 && !name.includes("embedding"))
    .flatMap(([name, [to, from]], j) => [
      [`${name}.lora_A`, { shape: [rank, from], data: values(301 + 2 * j, rank * from).map((v) => 0.5 * v) }],
      [`${name}.lora_B`, { shape: [to, rank], data: values(302 + 2 * j, to * rank).map((v) => 0.1 * v) }],
    ]),
);
const pixels = { shape: [B, 3, S, S], data: values(1, B * 3 * S * S).map((v) => 0.5 + 0.4 * v) };
const texts = [[3, 1, 4], [1, 5], [9, 2, 6, 5], [3]].map((ids) => [bos, ...ids, eos]);
const head = { shape: [classes, 8], data: values(2, classes * 8).map((v) => 4 * v) };

/** Of a gradient: of its largest value. */
const tolerance = 2e-5;

let runtime: Runtime;
beforeAll(async () => {
  runtime = createRuntime(await onnxRuntime({ threads: 1 }));
});
afterAll(() => runtime.release());

async function agrees<Batch>(objective: Objective<Batch>, batch: Batch, { value, gradients }: Recorded) {
  const low = lowRank(objective, { start: weights, wide: weights }, { rank, seed: 1 });
  const own = new Map([...low.start].map(([name, tensor]) => [name, factors.get(name) ?? tensor] as const));
  const { loss, of } = await gradientsOf(runtime, low.objective, own)(own, batch);
  expect(Math.abs(loss - value)).toBeLessThan(tolerance * value);
  expect([...of.keys()].sort()).toEqual(Object.keys(gradients).sort());
  for (const [name, { data }] of of)
    expect(difference(data, floats(gradients[name]), name), name).toBeLessThan(tolerance);
  // and with the factors merged the model is the same
  const merged = low.merged(own);
  expect([...merged.keys()]).toEqual([...weights.keys()]);
  const whole = await gradientsOf(runtime, objective, merged)(merged, batch);
  expect(Math.abs(whole.loss - value)).toBeLessThan(tolerance * value);
}

test("labels: the factors of the image tower's matrices", () => {
  const labels = Int32Array.from({ length: B }, (_, i) => i % classes);
  return agrees(classification(config, clipPreprocess(S), head), { pixels, labels }, golden.labels);
});

test("pairs: those of both towers, the temperature left alone", () => {
  const batch = { pixels, text: tokenBatch(texts, config.text) };
  return agrees(contrastive(config, clipPreprocess(S)), batch, golden.pairs);
});
