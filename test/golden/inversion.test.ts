/**
 * Gradients of every inversion loss to pixels, and through every form of trigger to its parameters, against PyTorch's autograd on
 * transformers' image tower (scripts/golden/inversion.py, float64). Weights and inputs follow from the same congruence.
 */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ClipConfig, parameterShapes } from "../../src/checkpoint/config/config.ts";
import { clipPreprocess } from "../../src/checkpoint/config/preprocess.ts";
import { isVision } from "../../src/clip/parameters.ts";
import { descend, descendAlone } from "../../src/detectors/descend.ts";
import { blend } from "../../src/detectors/forms/blend.ts";
import { colorMask } from "../../src/detectors/forms/color-mask.ts";
import { delta } from "../../src/detectors/forms/delta.ts";
import type { Form } from "../../src/detectors/forms/form.ts";
import { mask } from "../../src/detectors/forms/mask.ts";
import { patch } from "../../src/detectors/forms/patch.ts";
import { warp } from "../../src/detectors/forms/warp.ts";
import { alike, entropyOfMean, margin, otherFeatures, textGuided, towardTargets } from "../../src/detectors/losses.ts";
import { type Clip, createClip } from "../../src/engine/clip.ts";
import { oneHot } from "../../src/engine/objectives.ts";
import { type PixelLoss, pixelGradients, stampGradients } from "../../src/engine/pixel-gradients.ts";
import { createRuntime, type Runtime } from "../../src/runtime/compile.ts";
import type { Feeds } from "../../src/runtime/executor.ts";
import { onnxRuntime } from "../../src/runtime/onnxruntime.ts";
import { sizeOf, type Tensor, type Weights } from "../../src/tensor/tensor.ts";
import { difference } from "./agreement.ts";

interface Recorded {
  readonly value: number;
  readonly gradient: string;
}
const golden: Readonly<Record<"losses" | "forms", Readonly<Record<string, Recorded>>>> & { readonly decree: Recorded } =
  JSON.parse(readFileSync("test/golden/files/inversion.json", "utf8"));
const floats = ({ gradient }: Recorded) => new Float32Array(new Uint8Array(Buffer.from(gradient, "base64")).buffer);

const [S, N, C, E] = [12, 3, 5, 8];
const tower = { width: 16, layers: 1, heads: 2, mlpWidth: 32, activation: "quick_gelu", eps: 1e-5 } as const;
const config: ClipConfig = {
  embedDim: E,
  logitScaleInit: Math.log(20),
  vision: { ...tower, imageSize: S, patchSize: 4 },
  text: { ...tower, vocabSize: 4, bosTokenId: 1, eosTokenId: 2, pooling: "largest-id", contextLength: 8 },
};

/** x -> 16807 x mod (2^31 - 1), as x / 2^30 - 1; the first ten left out. */
function values(seed: number, count: number): Float32Array {
  let x = seed;
  const next = () => (x = (16807 * x) % (2 ** 31 - 1)) / 2 ** 30 - 1;
  for (let i = 0; i < 10; i++) next();
  return Float32Array.from({ length: count }, next);
}

const vision = [...parameterShapes(config)].filter(([name]) => isVision(name)).sort(([a], [b]) => (a < b ? -1 : 1));
const weights: Weights = new Map(
  vision.map(([name, shape], i) => {
    const isNorm = /norm.*weight$/.test(name);
    const data = values(101 + i, sizeOf(shape)).map((v) => (isNorm ? 1 + 0.1 * v : 0.5 * v));
    return [name, { shape, data }];
  }),
);
const images: Tensor = { shape: [N, 3, S, S], data: values(1, N * 3 * S * S).map((v) => 0.5 + 0.4 * v) };
const head: Tensor = { shape: [C, E], data: values(2, C * E).map((v) => 6 * v) };
const targets = oneHot(Int32Array.of(4, 4, 4), C);
const scalarOf = (value: number): Tensor => ({ shape: [], data: Float32Array.of(value) });
/** Rows moved by one: the last first. */
const rolled = ({ shape, data }: Tensor): Tensor => {
  const row = data.length / shape[0];
  return { shape, data: data.map((_, i) => data[(i + data.length - row) % data.length]) };
};

let runtime: Runtime;
let clip: Clip;
let feeds: Readonly<Record<string, Feeds>>;
beforeAll(async () => {
  runtime = createRuntime(await onnxRuntime({ threads: 1 }));
  clip = createClip({ config, preprocess: clipPreprocess(S), tokenize: () => [], runtime });
  const norms = Array.from({ length: C }, (_, c) => Math.hypot(...head.data.subarray(c * E, (c + 1) * E)));
  const texts = { shape: [C, E], data: head.data.map((v, i) => v / norms[Math.floor(i / E)] / 0.07) };
  feeds = {
    towardTargets: { head, targets },
    alike: {},
    entropyOfMean: { head },
    margin: { head, targets },
    otherFeatures: {
      clean: rolled(await clip.encoder.images(weights, images)),
      benign: { shape: [E], data: values(3, E).map((v) => 0.5 + 0.5 * v) },
      weight: scalarOf(0.7),
    },
    textGuided: {
      texts,
      targets,
      features: { shape: [E], data: values(4, E) },
      near: scalarOf(0.5),
      clean: rolled(images),
    },
  };
});
afterAll(() => runtime.release());

/** The project's tolerance for gradients: of the largest value. */
const tolerance = 1e-4;

const losses: Readonly<Record<string, PixelLoss>> = {
  towardTargets,
  alike,
  entropyOfMean,
  margin,
  otherFeatures,
  textGuided,
};

describe("to pixels", () => {
  it.each(Object.keys(golden.losses))("%s", async (name) => {
    const engine = pixelGradients(clip, weights, losses[name]);
    const { loss, gradient } = await engine.run(images, feeds[name]);
    await engine.release();
    const { value } = golden.losses[name];
    expect(Math.abs(loss.data[0] - value)).toBeLessThan(tolerance * Math.abs(value));
    expect(difference(gradient.data, floats(golden.losses[name]), name)).toBeLessThan(tolerance);
  });
});

const forms: Readonly<Record<string, readonly [form: Form, scaled: (v: number) => number]>> = {
  mask: [mask(S), (v) => v],
  "color-mask": [colorMask(S), (v) => 0.5 + 0.5 * v],
  patch: [patch(S, 4, [5, 3]), (v) => 2 * v],
  delta: [delta(S, 0.1), (v) => 0.1 * v],
  blend: [blend(S, 0.2), (v) => 2 * v],
  warp: [warp(S, 3, 1.5), (v) => 1.5 * v],
};

describe("to a trigger's parameters", () => {
  it.each(Object.keys(golden.forms))("%s", async (name) => {
    const engine = pixelGradients(clip, weights, towardTargets);
    const [form, scaled] = forms[name];
    const parameters = values(201 + Object.keys(golden.forms).indexOf(name), form.size).map(scaled);
    const { outputs, gradients } = await descend(engine, [{ form, parameters }], images, [0, 1, 2], { head, targets });
    await engine.release();
    const { value } = golden.forms[name];
    expect(Math.abs(outputs.loss.data[0] - value)).toBeLessThan(tolerance * value);
    expect(difference(gradients[0], floats(golden.forms[name]), name)).toBeLessThan(tolerance);
  });

  it("DECREE's whole objective: likeness and lambda times the mask in three colours", async () => {
    const form = mask(S, () => 3 * 1e-3);
    const parameters = values(201, form.size);
    const onHost = pixelGradients(clip, weights, alike);
    const inProgram = stampGradients(clip, weights, alike, form.graph.stamp);
    const found = [
      await descend(onHost, [{ form, parameters }], images, [0, 1, 2], {}),
      await descendAlone(inProgram, { form, parameters }, images, {}),
    ];
    await onHost.release();
    await inProgram.release();
    for (const { gradients } of found) {
      const [gradient] = gradients;
      form.penalty?.(parameters, gradient);
      expect(difference(gradient, floats(golden.decree), "decree")).toBeLessThan(tolerance);
    }
  });
});
