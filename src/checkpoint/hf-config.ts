/** Hugging Face's config.json (CLIPConfig) <-> ClipConfig. */
import { z } from "zod";
import { badInput } from "../tensor/error.ts";
import { type ClipConfig, checkConfig } from "./config.ts";
import { parseAs } from "./files.ts";

const square = z.union([z.number(), z.tuple([z.number(), z.number()])]).transform((size, context) => {
  const [height, width] = typeof size === "number" ? [size, size] : size;
  if (height !== width) context.addIssue(`${height} x ${width} is not square, which is all that is supported`);
  return height;
});

const tower = {
  hidden_act: z.enum(["quick_gelu", "gelu"]).default("quick_gelu"),
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

const schema = z.object({
  projection_dim: z.number().default(512),
  logit_scale_init_value: z.number().default(2.6592),
  text_config: textSchema.prefault({}),
  vision_config: visionSchema.prefault({}),
});

/**
 * A ClipConfig from the parsed JSON; what is missing takes the defaults of transformers. Where old files repeat a tower as
 * `text_config_dict`, that one alone counts, as in transformers. `file` is named in errors.
 */
export function configFromHf(json: unknown, file = "config.json"): ClipConfig {
  const raw = parseAs(z.looseObject({ model_type: z.string() }), json, file);
  if (raw.model_type !== "clip") {
    throw badInput(
      `${file}: model_type "${raw.model_type}" is not supported; ` +
        'give a CLIP model with a vision transformer (model_type "clip", saved by CLIPModel)',
    );
  }
  const both = {
    ...raw,
    text_config: raw.text_config_dict ?? raw.text_config ?? undefined,
    vision_config: raw.vision_config_dict ?? raw.vision_config ?? undefined,
  };
  const { text_config: text, vision_config: vision, ...top } = parseAs(schema, both, file);
  const eos = text.eos_token_id;
  const config: ClipConfig = {
    embedDim: top.projection_dim,
    vision: {
      imageSize: vision.image_size,
      patchSize: vision.patch_size,
      width: vision.hidden_size,
      layers: vision.num_hidden_layers,
      heads: vision.num_attention_heads,
      mlpWidth: vision.intermediate_size,
      activation: vision.hidden_act,
      eps: vision.layer_norm_eps,
    },
    text: {
      contextLength: text.max_position_embeddings,
      vocabSize: text.vocab_size,
      width: text.hidden_size,
      layers: text.num_hidden_layers,
      heads: text.num_attention_heads,
      mlpWidth: text.intermediate_size,
      activation: text.hidden_act,
      eps: text.layer_norm_eps,
      pooling: eos === null || eos === LEGACY_EOS || eos === text.vocab_size - 1 ? "largest-id" : "first-eos",
      ...(eos !== null && { eosTokenId: eos }),
      ...(text.bos_token_id !== null && { bosTokenId: text.bos_token_id }),
    },
    logitScaleInit: top.logit_scale_init_value,
  };
  return checkConfig(config, file);
}

/** OpenAI's first uploads stated this id, which is wrong; transformers reads it as "pool at the largest id". */
const LEGACY_EOS = 2;

/** The JSON that transformers 5 writes for such a CLIPModel, and reads. `dtype` is torch's name: float32, float16, bfloat16. */
export function configToHf({ embedDim, vision, text, logitScaleInit }: ClipConfig, dtype: string): object {
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
