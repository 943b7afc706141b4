/** Hugging Face's config.json (CLIPConfig, SiglipConfig) -> ClipConfig. */
import { z } from "zod";
import { parseAs } from "../../files/files.ts";
import { badInput } from "../../tensor/error.ts";
import { type Activation, activations, type ClipConfig, checkConfig } from "./config.ts";
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

const number = (usual: number) => z.number().default(usual);
const id = z.int().nonnegative();

/** Of either tower, with the usual width, heads, activation and epsilon. */
const tower = (width: number, heads: number, activation: Activation, eps: number) => ({
  hidden_act: z.enum(activations).default(activation),
  hidden_size: number(width),
  intermediate_size: number(4 * width),
  layer_norm_eps: number(eps),
  num_attention_heads: number(heads),
  num_hidden_layers: number(12),
});

const textSchema = z.object({
  ...tower(512, 8, "quick_gelu", 1e-5),
  vocab_size: number(49408),
  max_position_embeddings: number(77),
  bos_token_id: id.nullable().default(49406),
  eos_token_id: id.nullable().default(49407),
});
const visionSchema = z.object({
  ...tower(768, 12, "quick_gelu", 1e-5),
  patch_size: square.default(32),
  image_size: square.default(224),
  num_channels: z.literal(3).default(3),
});
const clipSchema = z.object({
  projection_dim: number(512),
  logit_scale_init_value: number(2.6592),
  text_config: textSchema.prefault({}),
  vision_config: visionSchema.prefault({}),
});

const siglipTower = tower(768, 12, "gelu_pytorch_tanh", 1e-6);
const siglipTextSchema = textSchema.extend({
  ...siglipTower,
  vocab_size: number(32000),
  max_position_embeddings: number(64),
  pad_token_id: id.default(1),
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

/** Options of the towers that are computed, and those that are known. */
type Towers = Readonly<Record<"text" | "vision", { readonly shape: object; readonly known: KnownOptions }>>;
const clipTowers: Towers = {
  text: { shape: textSchema.shape, known: HF_CLIP_TEXT },
  vision: { shape: visionSchema.shape, known: HF_CLIP_VISION },
};
const siglipTowers: Towers = {
  text: { shape: siglipTextSchema.shape, known: HF_SIGLIP_TEXT },
  vision: { shape: siglipVisionSchema.shape, known: HF_SIGLIP_VISION },
};

/** All that a config says is computed or known, of the towers' old copies too. */
function checkAllOptions(raw: Readonly<Record<string, unknown>>, { text, vision }: Towers, file: string): void {
  const towers = { text_config: text, vision_config: vision, text_config_dict: text, vision_config_dict: vision };
  const top = ["model_type", "projection_dim", "logit_scale_init_value", ...Object.keys(towers)];
  checkOptions(raw, { computed: top, known: HF_TOP }, file);
  for (const [name, { shape, known }] of Object.entries(towers)) {
    checkOptions(raw[name], { computed: Object.keys(shape), known }, `${file}: ${name}`);
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
  if (raw.model_type === "clip" || raw.model_type === "siglip") {
    const isClip = raw.model_type === "clip";
    const config = isClip
      ? clipConfig(parseAs(clipSchema, both, file))
      : siglipConfig(parseAs(siglipSchema, both, file), file);
    checkAllOptions(raw, isClip ? clipTowers : siglipTowers, file);
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
export const LEGACY_EOS = 2;
