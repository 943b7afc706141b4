/**
 * The contrastive loss and its gradients to every parameter of both towers against PyTorch's autograd on transformers' CLIP
 * (scripts/golden/contrastive.py, float64): as fine-tunings by contrast compute them, weights and inputs from the same congruence.
 */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parameterShapes } from "../../src/checkpoint/config/config.ts";
import { clipPreprocess } from "../../src/checkpoint/config/preprocess.ts";
import { tokenBatch } from "../../src/clip/tokens.ts";
import { gradientsOf } from "../../src/engine/gradients.ts";
import { type CaptionBatch, contrastive, falseNegatives } from "../../src/engine/objectives.ts";
import { createRuntime, type Runtime } from "../../src/runtime/compile.ts";
import { onnxRuntime } from "../../src/runtime/onnxruntime.ts";
import { sizeOf, type Weights } from "../../src/tensor/tensor.ts";
import { difference } from "./agreement.ts";
import { B, bos, config, eos, floats, S, values } from "./tiny-pairs.ts";

interface Recorded {
  readonly value: number;
  readonly gradients: Readonly<Record<string, string>>;
}
const golden: Readonly<Record<"plain" | "masked", Recorded>> = JSON.parse(
  readFileSync("test/golden/files/contrastive.json", "utf8"),
);

const weights: Weights = new Map(
  [...parameterShapes(config)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, shape], i) => {
      const isNorm = /norm.*weight$/.test(name);
      const data = values(101 + i, sizeOf(shape)).map((v) => (isNorm ? 1 + 0.1 * v : 0.5 * v));
      return [name, { shape, data: name === "logit_scale" ? Float32Array.of(Math.log(20)) : data }];
    }),
);
const texts = [[3, 1, 4], [1, 5], [9, 2, 6, 5], [3]].map((ids) => [bos, ...ids, eos]);
const plain: CaptionBatch = {
  pixels: { shape: [B, 3, S, S], data: values(1, B * 3 * S * S).map((v) => 0.5 + 0.4 * v) },
  text: tokenBatch(texts, config.text),
};
const batches = { plain, masked: { ...plain, mask: falseNegatives([0, 1, 0, 2]) } };

/** Of a gradient: of its largest value. */
const tolerance = 2e-5;

let runtime: Runtime;
beforeAll(async () => {
  runtime = createRuntime(await onnxRuntime({ threads: 1 }));
});
afterAll(() => runtime.release());

describe.each(["plain", "masked"] as const)("%s", (kind) => {
  const { value, gradients } = golden[kind];
  const largest = Math.max(...Object.values(gradients).flatMap((text) => [...floats(text)].map(Math.abs)));

  test("both towers: the loss, and the gradient of every parameter", async () => {
    const { loss, of } = await gradientsOf(runtime, contrastive(config, clipPreprocess(S)), weights)(weights, batches[kind]); // biome-ignore format: one line
    expect(Math.abs(loss - value)).toBeLessThan(tolerance * value);
    expect([...of.keys()].sort()).toEqual(Object.keys(gradients).sort());
    for (const [name, { data }] of of) {
      // the key's bias moves all scores of a row alike: its gradient is zero but for rounding
      if (name.endsWith("k_proj.bias")) expect(Math.max(...data.map(Math.abs)), name).toBeLessThan(1e-6 * largest);
      else expect(difference(data, floats(gradients[name]), name), name).toBeLessThan(tolerance);
    }
  });

  test("the image tower alone: the same gradients, of its own parameters", async () => {
    const objective = contrastive(config, clipPreprocess(S), { towers: "image", temperature: "frozen" });
    const { loss, of } = await gradientsOf(runtime, objective, weights)(weights, batches[kind]);
    expect(Math.abs(loss - value)).toBeLessThan(tolerance * value);
    expect([...of.keys()].sort()).toEqual(
      Object.keys(gradients)
        .filter((name) => name.startsWith("vis"))
        .sort(),
    );
    for (const [name, { data }] of of)
      if (!name.endsWith("k_proj.bias"))
        expect(difference(data, floats(gradients[name]), name), name).toBeLessThan(tolerance);
  });
});

test("a frozen temperature does not learn; both towers do", () => {
  const { trains } = contrastive(config, clipPreprocess(S), { towers: "both", temperature: "frozen" });
  expect([...weights.keys()].filter((name) => !trains(name))).toEqual(["logit_scale"]);
});
