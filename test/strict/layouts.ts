/** A valid checkpoint of every layout that is read, of a few thousand values, as tensors and JSON to be spoilt. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ClipConfig, parameterShapes } from "../../src/checkpoint/config/config.ts";
import { clipPreprocess } from "../../src/checkpoint/config/preprocess.ts";
import { configToHf } from "../../src/checkpoint/config/to-hf.ts";
import { openClipJson } from "../../src/checkpoint/config/to-open-clip.ts";
import { type TensorSource, writeSafetensors } from "../../src/checkpoint/formats/safetensors.ts";
import { partsOf } from "../../src/checkpoint/names/layouts.ts";
import { type Part, putTogether } from "../../src/checkpoint/names/parts.ts";
import { sizeOf, type Tensor } from "../../src/tensor/tensor.ts";
import { picoConfig } from "../pico-config.ts";

export interface Model {
  readonly layout: string;
  readonly tensors: readonly TensorSource[];
  /** Beside the weights, by file name. */
  readonly json: Readonly<Record<string, object>>;
  readonly file: string;
}

const resnet = {
  ...picoConfig,
  vision: { kind: "resnet", imageSize: 32, width: 2, blocks: [1, 1, 1, 1], heads: 1 },
} satisfies ClipConfig;

const tower = { ...picoConfig.vision, activation: "gelu_pytorch_tanh", eps: 1e-6 } as const;
const siglip = {
  embedDim: 64,
  vision: { ...tower, kind: "siglip" },
  text: { ...picoConfig.text, activation: "gelu_pytorch_tanh", eps: 1e-6, pooling: "last", padTokenId: 1 },
  logitScaleInit: Math.log(10),
} satisfies ClipConfig;

const siglipJson = {
  model_type: "siglip",
  text_config: {
    hidden_size: 64,
    intermediate_size: 12,
    num_hidden_layers: 1,
    num_attention_heads: 1,
    max_position_embeddings: 5,
    vocab_size: 11,
    projection_size: 64,
    model_type: "siglip_text_model",
  },
  vision_config: {
    hidden_size: 64,
    intermediate_size: 10,
    num_hidden_layers: 2,
    num_attention_heads: 1,
    image_size: 8,
    patch_size: 4,
    model_type: "siglip_vision_model",
  },
};

function weightsOf(config: ClipConfig): Map<string, Tensor> {
  return new Map(
    [...parameterShapes(config)].map(([name, shape]) => [
      name,
      { shape, data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => (i % 7) / 8) },
    ]),
  );
}

function stored(config: ClipConfig, parts: readonly Part[], prefix = ""): TensorSource[] {
  const weights = weightsOf(config);
  return parts.map((part) => {
    const value = putTogether(
      part,
      part.ours.map((name) => weights.get(name) as Tensor),
    );
    return { name: prefix + part.file, dtype: "F32", shape: value.shape, data: () => value };
  });
}

const same = (config: ClipConfig): Part[] =>
  [...parameterShapes(config).keys()].map((name) => ({ file: name, ours: [name], form: "same" }));

/** OpenAI's names; with `text` those of open_clip's CustomTextCLIP. */
function theirs(config: ClipConfig, text = ""): Part[] {
  const { vision } = config;
  const blocks =
    vision.kind === "resnet"
      ? vision.blocks.map((_, i) => `visual.layer${i + 1}.0.conv1.weight`)
      : Array.from({ length: vision.layers }, (_, i) => `visual.transformer.resblocks.${i}.ln_1.weight`);
  return partsOf(
    "openai",
    new Set([...blocks, `${text}transformer.resblocks.0.ln_1.weight`, `${text}ln_final.weight`]),
  );
}

const openClip = (config: ClipConfig, custom: boolean) => ({
  "open_clip_config.json": openClipJson(config, clipPreprocess(config.vision.imageSize), custom, "a test"),
});

export const layouts: readonly Model[] = [
  {
    layout: "Hugging Face's CLIP",
    tensors: stored(picoConfig, same(picoConfig)),
    json: { "config.json": configToHf(picoConfig, "float32") },
    file: "model.safetensors",
  },
  {
    layout: "Hugging Face's SigLIP",
    tensors: stored(siglip, same(siglip)),
    json: { "config.json": siglipJson },
    file: "model.safetensors",
  },
  {
    layout: "open_clip",
    tensors: stored(picoConfig, theirs(picoConfig)),
    json: openClip(picoConfig, false),
    file: "open_clip_model.safetensors",
  },
  {
    layout: "open_clip, text. before the text tower",
    tensors: stored(picoConfig, theirs(picoConfig, "text.")),
    json: openClip(picoConfig, true),
    file: "open_clip_model.safetensors",
  },
  {
    layout: "open_clip, module. before all",
    tensors: stored(picoConfig, theirs(picoConfig), "module."),
    json: openClip(picoConfig, false),
    file: "open_clip_model.safetensors",
  },
  {
    layout: "a ResNet",
    tensors: stored(resnet, theirs(resnet)),
    json: openClip(resnet, false),
    file: "open_clip_model.safetensors",
  },
  {
    layout: "a lone file of OpenAI's names",
    tensors: stored(picoConfig, theirs(picoConfig)),
    json: {},
    file: "lone.safetensors",
  },
];

/** Run `work` on the model as it lies on disk, in a folder that is gone afterwards. */
export async function withModel<T>({ tensors, json, file }: Model, work: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "tbar-strict-"));
  try {
    for (const [name, value] of Object.entries(json)) await writeFile(join(folder, name), JSON.stringify(value));
    await writeSafetensors(join(folder, file), { tensors });
    return await work(file === "lone.safetensors" ? join(folder, file) : folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
