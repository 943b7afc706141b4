/** open_clip's open_clip_config.json -> ClipConfig. */
import { z } from "zod";
import { badInput } from "../tensor/error.ts";
import { type ClipConfig, checkConfig, type VisionConfig } from "./config.ts";
import { parseAs } from "./files.ts";

const towerCfg = { width: z.number().optional(), mlp_ratio: z.number().positive().max(64).default(4) };

const schema = z.object({
  model_cfg: z.object({
    embed_dim: z.number(),
    quick_gelu: z.boolean().default(false),
    init_logit_scale: z.number().default(Math.log(1 / 0.07)),
    vision_cfg: z.looseObject({
      ...towerCfg,
      image_size: z.number().default(224),
      patch_size: z
        .number()
        .nullish()
        .transform((size) => size ?? 16),
      layers: z.union([z.number(), z.array(z.number())]).default(12),
      head_width: z.number().positive().default(64),
    }),
    text_cfg: z.looseObject({
      ...towerCfg,
      context_length: z.number().default(77),
      vocab_size: z.number().default(49408),
      heads: z.number().default(8),
      layers: z.number().default(12),
    }),
  }),
});

/** Options that change the arithmetic, with the only value we compute; open_clip's code treats a missing one as this value. */
const ONLY: Readonly<Record<string, unknown>> = {
  timm_model_name: null,
  hf_model_name: null,
  ls_init_value: null,
  no_ln_pre: false,
  pos_embed_type: "learnable",
  final_ln_after_pool: false,
  attentional_pool: false,
  act_kwargs: null,
  norm_kwargs: null,
  embed_cls: false,
  no_causal_mask: false,
  proj_bias: false,
  proj_type: "linear",
  block_type: null,
  qk_norm: false,
};

/** A ClipConfig from the parsed JSON, with open_clip's defaults; `file` is named in errors. */
export function configFromOpenClip(json: unknown, file = "open_clip_config.json"): ClipConfig {
  const { model_cfg: model } = parseAs(schema, json, file);
  const { vision_cfg: vision, text_cfg: text } = model;
  refuse(vision, { ...ONLY, pool_type: "tok" }, `${file}: vision_cfg`);
  refuse(text, { ...ONLY, pool_type: "argmax" }, `${file}: text_cfg`);
  const { width: visionWidth = 768 } = vision;
  const { width: textWidth = 512 } = text;
  const shared = { activation: model.quick_gelu ? ("quick_gelu" as const) : ("gelu" as const), eps: 1e-5 };
  const { image_size: imageSize, layers } = vision;
  const image: VisionConfig =
    typeof layers === "number"
      ? {
          ...shared,
          imageSize,
          patchSize: vision.patch_size,
          width: visionWidth,
          layers,
          heads: Math.floor(visionWidth / vision.head_width),
          mlpWidth: Math.floor(visionWidth * vision.mlp_ratio),
        }
      : {
          kind: "resnet", // a list of layers makes one
          imageSize,
          width: visionWidth,
          blocks: layers,
          heads: Math.floor((32 * visionWidth) / vision.head_width),
        };
  const config: ClipConfig = {
    embedDim: model.embed_dim,
    vision: image,
    text: {
      ...shared,
      contextLength: text.context_length,
      vocabSize: text.vocab_size,
      width: textWidth,
      layers: text.layers,
      heads: text.heads,
      mlpWidth: Math.floor(textWidth * text.mlp_ratio),
      pooling: "largest-id",
    },
    logitScaleInit: model.init_logit_scale,
  };
  return checkConfig(config, file);
}

function refuse(
  given: Readonly<Record<string, unknown>>,
  only: Readonly<Record<string, unknown>>,
  where: string,
): void {
  for (const [option, value] of Object.entries(only)) {
    const found = given[option] ?? value;
    if (found !== value) {
      throw badInput(`${where}: ${option} ${JSON.stringify(found)} is not supported, only ${JSON.stringify(value)} is`);
    }
  }
}
