/** Hugging Face's config.json (CLIPConfig, SiglipConfig) -> ClipConfig, and CLIP's back. */
import { z } from "zod";
import { parseAs } from "../../files/files.ts";
import { badInput } from "../../tensor/error.ts";
import { activations, type ClipConfig, checkConfig } from "./config.ts";
import {
  checkOptions,
  HF_CLIP_TEXT,
  HF_CLIP_VISION,
  HF_SIGLIP_TEXT,
  HF_SIGLIP_VISION,
  HF_TOP,
  type KnownOptions,
} from "./options.ts";

export const square = z.union([z.number(), z.tuple([z.number(), z.number()])]).transform((size, context) => {
  const [height, width] = typeof size === "number" ? [size, size] : size;
  if (height !== width) context.addIssue(`${height} x ${width} is not square, which is all that is supported`);
  return height;
});

const tower = {
  hidden_act: z.enum(activations).default("quick_gelu"),
  layer_norm_eps: z.number().default(1e-5),
  num_hidden_layers: z.number().default(12),
};

const textSchema = z.object({
  ...tower,
  vocab_size: z.number().default(49408),
  hidden_size: z.number().default(512),
  intermediate_size: z.number().default(2048),
  num_attention_heads: z.number().default(8),
  max_position_embeddings: z.number().default(77),
  bos_token_id: z.int().nonnegative().nullable().default(49406),
  eos_token_id: z.int().nonnegative().nullable().default(49407),
});

const visionSchema = z.object({
  ...tower,
  hidden_size: z.number().default(768),
  intermediate_size: z.number().default(3072),
  num_attention_heads: z.number().default(12),
  patch_size: square.default(32),
  image_size: square.default(224),
  num_channels: z.literal(3).default(3),
});

const towers = { text_config: textSchema.prefault({}), vision_config: visionSchema.prefault({}) };
const clipSchema = z.object({
  projection_dim: z.number().default(512),
  logit_scale_init_value: z.number().default(2.6592),
  ...towers,
});
type Towers = readonly [text: { readonly shape: object }, vision: { readonly shape: object }];

const siglipTower = {
  hidden_act: z.enum(activations).default("gelu_pytorch_tanh"),
  layer_norm_eps: z.number().default(1e-6),
  hidden_size: z.number().default(768),
  intermediate_size: z.number().default(3072),
  num_attention_heads: z.number().default(12),
};
const siglipTextSchema = textSchema.extend({
  ...siglipTower,
  vocab_size: z.number().default(32000),
  max_position_embeddings: z.number().default(64),
  pad_token_id: z.int().nonnegative().default(1),
  projection_size: z.number().nullish(),
});
const siglipVisionSchema = visionSchema.extend({
  ...siglipTower,
  patch_size: square.default(16),
  vision_use_head: z.literal(true, "without its pooling head there is no image embedding").default(true),
});
const siglipSchema = z.object({
  text_config: siglipTextSchema.prefault({}),
  vision_config: siglipVisionSchema.prefault({}),
});

/** All that a config says is computed or known, of the towers' old copies too. */
function checkAllOptions(
  raw: Readonly<Record<string, unknown>>,
  [text, vision]: Towers,
  known: readonly [top: KnownOptions, text: KnownOptions, vision: KnownOptions],
  file: string,
): void {
  const towers = ["text_config", "vision_config", "text_config_dict", "vision_config_dict"] as const;
  const top = ["model_type", "projection_dim", "logit_scale_init_value", ...towers];
  checkOptions(raw, { computed: top, known: known[0] }, file);
  for (const name of towers) {
    const schema = name.startsWith("text") ? text : vision;
    const others = name.startsWith("text") ? known[1] : known[2];
    checkOptions(raw[name], { computed: Object.keys(schema.shape), known: others }, `${file}: ${name}`);
  }
}

/**
 * A ClipConfig from the parsed JSON; what is missing takes the defaults of transformers. Where old files repeat a tower as
 * `text_config_dict`, that one alone counts, as in transformers. `file` is named in errors.
 */
export function configFromHf(json: unknown, file = "config.json"): ClipConfig {
  const raw = parseAs(z.looseObject({ model_type: z.string() }), json, file);
  const both = {
    ...raw,
    text_config: raw.text_config_dict ?? raw.text_config ?? undefined,
    vision_config: raw.vision_config_dict ?? raw.vision_config ?? undefined,
  };
  if (raw.model_type === "clip") {
    const config = clipConfig(parseAs(clipSchema, both, file));
    checkAllOptions(raw, [textSchema, visionSchema], [HF_TOP, HF_CLIP_TEXT, HF_CLIP_VISION], file);
    return checkConfig(config, file);
  }
  if (raw.model_type === "siglip") {
    const config = siglipConfig(parseAs(siglipSchema, both, file), file);
    const known = [HF_TOP, HF_SIGLIP_TEXT, HF_SIGLIP_VISION] as const;
    checkAllOptions(raw, [siglipTextSchema, siglipVisionSchema], known, file);
    return checkConfig(config, file);
  }
  const advice =
    raw.model_type === "siglip2"
      ? "its images vary in size (NaFlex); give a SigLIP 2 of a fixed size, whose model_type is siglip"
      : "give a CLIP or SigLIP model with both towers, saved by CLIPModel or SiglipModel (model_type clip or siglip)";
  throw badInput(`${file}: model_type "${raw.model_type}" is not supported; ${advice}`);
}

function clipConfig({ text_config: text, vision_config: vision, ...top }: z.output<typeof clipSchema>): ClipConfig {
  const eos = text.eos_token_id;
  return {
    embedDim: top.projection_dim,
    vision: visionConfig(vision),
    text: {
      ...textConfig(text),
      pooling: eos === null || eos === LEGACY_EOS || eos === text.vocab_size - 1 ? "largest-id" : "first-eos",
      ...(eos !== null && { eosTokenId: eos }),
      ...(text.bos_token_id !== null && { bosTokenId: text.bos_token_id }),
    },
    logitScaleInit: top.logit_scale_init_value,
  };
}

function siglipConfig(
  { text_config: text, vision_config: vision }: z.output<typeof siglipSchema>,
  file: string,
): ClipConfig {
  const embedDim = text.projection_size ?? text.hidden_size;
  if (embedDim !== vision.hidden_size) {
    throw badInput(
      `${file}: texts are projected to ${embedDim}, images are ${vision.hidden_size} wide; both must agree`,
    );
  }
  return {
    embedDim,
    vision: { kind: "siglip", ...visionConfig(vision) },
    text: { ...textConfig(text), pooling: "last", padTokenId: text.vocab_size === GEMMA ? 0 : text.pad_token_id },
    logitScaleInit: Math.log(10),
  };
}

function towerConfig(tower: z.output<typeof textSchema> | z.output<typeof visionSchema>) {
  return {
    width: tower.hidden_size,
    layers: tower.num_hidden_layers,
    heads: tower.num_attention_heads,
    mlpWidth: tower.intermediate_size,
    activation: tower.hidden_act,
    eps: tower.layer_norm_eps,
  };
}

function visionConfig(vision: z.output<typeof visionSchema>) {
  return { ...towerConfig(vision), imageSize: vision.image_size, patchSize: vision.patch_size };
}

function textConfig(text: z.output<typeof textSchema>) {
  return { ...towerConfig(text), contextLength: text.max_position_embeddings, vocabSize: text.vocab_size };
}

/** Entries of SigLIP 2's vocabulary, which pads with 0; its files repeat the first SigLIP's 1, or say nothing. */
const GEMMA = 256_000;

/** OpenAI's first uploads stated this id, which is wrong; transformers reads it as "pool at the largest id". */
const LEGACY_EOS = 2;

/**
 * The JSON that transformers 5 writes for such a CLIPModel, and reads. `dtype` is torch's name: float32, float16, bfloat16.
 * Throws `bad-input` for a ResNet, which has no such form; SigLIP's is never written anew.
 */
export function configToHf({ embedDim, vision, text, logitScaleInit }: ClipConfig, dtype: string): object {
  if (vision.kind === "resnet" || vision.kind === "siglip") {
    const name = { resnet: "CLIP ResNet", siglip: "SigLIP" }[vision.kind];
    throw badInput(
      `a ${name} cannot be written as a CLIPModel of Hugging Face, which has a vision transformer of CLIP's own form`,
    );
  }
  const eos = text.eosTokenId ?? LEGACY_EOS;
  return {
    architectures: ["CLIPModel"],
    dtype,
    logit_scale_init_value: logitScaleInit,
    model_type: "clip",
    projection_dim: embedDim,
    text_config: {
      bos_token_id: text.bosTokenId ?? 0,
      eos_token_id: eos,
      hidden_act: text.activation,
      hidden_size: text.width,
      intermediate_size: text.mlpWidth,
      layer_norm_eps: text.eps,
      max_position_embeddings: text.contextLength,
      model_type: "clip_text_model",
      num_attention_heads: text.heads,
      num_hidden_layers: text.layers,
      pad_token_id: eos,
      projection_dim: embedDim,
      vocab_size: text.vocabSize,
    },
    vision_config: {
      hidden_act: vision.activation,
      hidden_size: vision.width,
      image_size: vision.imageSize,
      intermediate_size: vision.mlpWidth,
      layer_norm_eps: vision.eps,
      model_type: "clip_vision_model",
      num_attention_heads: vision.heads,
      num_channels: 3,
      num_hidden_layers: vision.layers,
      patch_size: vision.patchSize,
      projection_dim: embedDim,
    },
  };
}
