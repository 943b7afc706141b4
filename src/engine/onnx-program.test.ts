/** Exported programs against the engine, whatever the architecture, for batches and lengths that no graph was built for. */
import type { ModelProto } from "onnx-buf";
import { beforeAll, describe, expect, test } from "vitest";
import type { ClipConfig, TextConfig } from "../checkpoint/config/config.ts";
import { clipPreprocess } from "../checkpoint/config/preprocess.ts";
import { initialWeights } from "../clip/parameters.ts";
import { type Initializer, modelBytes } from "../onnx/model-file.ts";
import { createRuntime } from "../runtime/compile.ts";
import type { Executor } from "../runtime/executor.ts";
import { onnxRuntime } from "../runtime/onnxruntime.ts";
import { random } from "../tensor/random.ts";
import { type Tensor, tensor, type Weights } from "../tensor/tensor.ts";
import { createEncoder } from "./encoder.ts";
import { onnxEncoder } from "./onnx-clip.ts";
import { onnxProgram } from "./onnx-program.ts";

const tower = { width: 16, layers: 2, heads: 2, mlpWidth: 24, activation: "quick_gelu", eps: 1e-5 } as const;
const text = { ...tower, contextLength: 12, vocabSize: 40, pooling: "largest-id" } satisfies TextConfig;
const vision = { ...tower, imageSize: 16, patchSize: 8 };
const base = { embedDim: 8, logitScaleInit: 2 };
const configs: readonly (readonly [string, ClipConfig])[] = [
  ["ViT with QuickGELU, pooled at the largest id", { ...base, vision, text }],
  [
    "ViT with GELU, pooled at the first end",
    {
      ...base,
      vision: { ...vision, activation: "gelu", layers: 1 },
      text: { ...text, activation: "gelu", pooling: "first-eos", eosTokenId: 30 },
    },
  ],
  ["ResNet", { ...base, vision: { kind: "resnet", imageSize: 32, width: 4, blocks: [1, 1, 1, 1], heads: 2 }, text }],
  [
    "SigLIP",
    {
      ...base,
      embedDim: 16,
      vision: { ...vision, kind: "siglip", activation: "gelu_pytorch_tanh" },
      text: { ...text, activation: "gelu_pytorch_tanh", pooling: "last", padTokenId: 1 },
    },
  ],
];

let executor: Executor;
beforeAll(async () => {
  executor = await onnxRuntime({ threads: 1 });
});

/** Weights far from their initial symmetry: biases and norms are not neutral. */
function shaken(config: ClipConfig): Weights {
  const rng = random(3, "shake");
  const shake = (data: Float32Array) => data.map((v) => v + 0.1 * rng.normal());
  const positive = (name: string, data: Float32Array) => (name.endsWith("running_var") ? data.map(Math.abs) : data);
  return new Map(
    [...initialWeights(config, 1)].map(([name, { shape, data }]) => [
      name,
      { shape, data: positive(name, shake(data)) },
    ]),
  );
}

async function bytesOf(model: ModelProto, parameters: readonly string[], weights: Weights): Promise<Uint8Array> {
  const initializers = parameters.map((name): Initializer => {
    const { shape, data } = weights.get(name) as Tensor;
    return {
      name,
      shape,
      type: "float32",
      data: async function* () {
        yield new Uint8Array(data.slice().buffer);
      },
    };
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of modelBytes(model, initializers)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** "0" .. "9": ids that end as the model's texts do, of different lengths. */
const tokenizeFor =
  ({ pooling, contextLength, vocabSize, eosTokenId }: TextConfig) =>
  (name: string) => {
    const rng = random(5, name);
    const length = pooling === "last" ? contextLength : 2 + rng.int(contextLength - 2);
    const ids = Array.from({ length: length - 1 }, () => rng.int(29));
    return [...ids, pooling === "first-eos" ? (eosTokenId as number) : vocabSize - 1];
  };

function worst(a: Tensor, b: Tensor): number {
  expect(a.shape).toEqual(b.shape);
  return Math.max(...a.data.map((v, i) => Math.abs(v - b.data[i]))) / Math.max(...b.data.map(Math.abs));
}

describe.each(configs)("%s", (_, config) => {
  const weights = shaken(config);
  const preprocess = clipPreprocess(config.vision.imageSize);
  const tokenize = tokenizeFor(config.text);
  const { imageSize } = config.vision;
  const pictures = (count: number) => {
    const pixels = tensor([count, 3, imageSize, imageSize]);
    random(7, count).fillUniform(pixels.data);
    return pixels;
  };

  test.each([
    ["image", ["image", "both"]],
    ["text", ["text", "both"]],
  ] as const)("%s embeddings within 1e-5 of the engine's, in batches of 1, 2 and 5", async (what, names) => {
    const runtime = createRuntime(executor);
    const engine = createEncoder(runtime, config, preprocess, tokenize);
    for (const name of names) {
      const { model, parameters } = onnxProgram(config, name);
      const program = await executor.compile(await bytesOf(model, parameters, weights));
      const files = { image: "i.onnx", text: "t.onnx" };
      const found = onnxEncoder({ config, preprocess }, { image: program, text: program }, tokenize, files);
      for (const count of [1, 2, 5]) {
        const lines = Array.from({ length: count }, (_, i) => String(i));
        const [a, b] =
          what === "image"
            ? [await found.images(weights, pictures(count)), await engine.images(weights, pictures(count))]
            : [await found.texts(weights, lines), await engine.texts(weights, lines)];
        expect(worst(a, b), `${name}, ${count}`).toBeLessThanOrEqual(1e-5);
      }
      await program.release();
    }
    await runtime.release();
  });

  test("only ops of the ONNX standard, no stand-in left over, weights not among the inputs", () => {
    for (const name of ["both", "image", "text"] as const) {
      const { model, parameters } = onnxProgram(config, name);
      expect(model.opsetImport.map(({ domain, version }) => [domain, version])).toEqual([["", 21n]]);
      expect(model.graph?.node.filter(({ domain }) => domain !== "")).toEqual([]);
      const dims = model.graph?.initializer.flatMap(({ dims }) => dims.map(Number)) ?? [];
      expect(Math.max(...dims)).toBeLessThan(10_000);
      expect(parameters.length).toBeGreaterThan(10);
      expect(model.graph?.input.map(({ name }) => name)).toEqual(
        { both: ["pixel_values", "input_ids"], image: ["pixel_values"], text: ["input_ids"] }[name],
      );
    }
  });
});

test("logits_per_image = exp(s) cos of image_embeds and text_embeds, of unit norm; logits_per_text is its transpose", async () => {
  const [, config] = configs[0];
  const weights = shaken(config);
  const { model, parameters } = onnxProgram(config, "both");
  const program = await executor.compile(await bytesOf(model, parameters, weights));
  const pixels = tensor([2, 3, 16, 16]);
  random(1).fillUniform(pixels.data);
  const ids = { shape: [3, 4], data: Int32Array.from([1, 2, 39, 0, 5, 39, 0, 0, 1, 2, 3, 39]) };
  const results = await program.run({ pixel_values: pixels, input_ids: ids });
  const { image_embeds: images, text_embeds: texts } = results;
  const scale = Math.exp(weights.get("logit_scale")?.data[0] ?? 0);
  for (let i = 0; i < 2; i++) {
    expect(Math.hypot(...images.data.subarray(8 * i, 8 * i + 8))).toBeCloseTo(1, 5);
    for (let t = 0; t < 3; t++) {
      let cosine = 0;
      for (let e = 0; e < 8; e++) cosine += images.data[8 * i + e] * texts.data[8 * t + e];
      expect(results.logits_per_image.data[3 * i + t]).toBeCloseTo(scale * cosine, 4);
      expect(results.logits_per_text.data[2 * t + i]).toBe(results.logits_per_image.data[3 * i + t]);
    }
  }
  await program.release();
});

test("dynamic axes have the names of transformers' own exports", () => {
  const { model } = onnxProgram(configs[0][1], "both");
  const shown = [...(model.graph?.input ?? []), ...(model.graph?.output ?? [])].map(({ name, type }) => {
    const dims = type?.value.case === "tensorType" ? (type.value.value.shape?.dim ?? []) : [];
    return `${name} ${dims.map(({ value }) => String(value.value)).join(" ")}`;
  });
  expect(shown).toEqual([
    "pixel_values image_batch_size 3 16 16",
    "input_ids text_batch_size sequence_length",
    "logits_per_image image_batch_size text_batch_size",
    "logits_per_text text_batch_size image_batch_size",
    "text_embeds text_batch_size 8",
    "image_embeds image_batch_size 8",
  ]);
});
