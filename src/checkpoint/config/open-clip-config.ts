/** open_clip's open_clip_config.json -> ClipConfig. */
import { z } from "zod";
import { parseAs } from "../../files/files.ts";
import { type ClipConfig, checkConfig, type VisionConfig } from "./config.ts";
import { square } from "./hf-config.ts";
import { checkOptions, OPEN_CLIP_MODEL, OPEN_CLIP_TEXT, OPEN_CLIP_VISION } from "./options.ts";

const towerCfg = { width: z.number().optional(), mlp_ratio: z.number().positive().max(64).default(4) };

const visionSchema = z.object({
  ...towerCfg,
  image_size: square.default(224),
  patch_size: square.nullish().transform((size) => size ?? 16),
  layers: z.union([z.number(), z.array(z.number())]).default(12),
  head_width: z.number().positive().default(64),
});
const textSchema = z.object({
  ...towerCfg,
  context_length: z.number().default(77),
  vocab_size: z.number().default(49408),
  heads: z.number().default(8),
  layers: z.number().default(12),
});
const modelSchema = z.object({
  embed_dim: z.number(),
  quick_gelu: z.boolean().default(false),
  init_logit_scale: z.number().default(Math.log(1 / 0.07)),
  vision_cfg: visionSchema,
  text_cfg: textSchema,
});
const schema = z.object({ model_cfg: modelSchema });

type Raw = { readonly model_cfg: Readonly<Record<"vision_cfg" | "text_cfg", unknown>> };

/** All that a config says is computed or known. */
function checkAllOptions(json: Raw, file: string): void {
  const { model_cfg: model } = json;
  checkOptions(json, { computed: ["model_cfg", "preprocess_cfg"], known: {} }, file);
  for (const [name, given, { shape }, known] of [
    ["model_cfg", model, modelSchema, OPEN_CLIP_MODEL],
    ["vision_cfg", model.vision_cfg, visionSchema, OPEN_CLIP_VISION],
    ["text_cfg", model.text_cfg, textSchema, OPEN_CLIP_TEXT],
  ] as const) {
    checkOptions(given, { computed: Object.keys(shape), known }, `${file}: ${name}`);
  }
}

/** A ClipConfig from the parsed JSON, with open_clip's defaults; `file` is named in errors. */
export function configFromOpenClip(json: unknown, file = "open_clip_config.json"): ClipConfig {
  const { model_cfg: model } = parseAs(schema, json, file);
  const { vision_cfg: vision, text_cfg: text } = model;
  checkAllOptions(json as Raw, file);
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
