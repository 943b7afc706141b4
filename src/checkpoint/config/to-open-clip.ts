/** ClipConfig and preprocessing -> open_clip's open_clip_config.json. */
import type { ClipConfig } from "./config.ts";
import type { Preprocess } from "./preprocess.ts";
import { preprocessToOpenClip } from "./preprocess-open-clip.ts";

/**
 * The JSON that open_clip reads. It has no words for some choices (an epsilon, two activations): whoever writes it reads it again and
 * compares. `customText`: the text tower is a model of its own, its tensors called `text.`.
 */
export function openClipJson(
  { embedDim, vision, text, logitScaleInit }: ClipConfig,
  preprocess: Preprocess,
  customText: boolean,
  path: string,
): object {
  const tower =
    vision.kind === "resnet"
      ? { layers: vision.blocks, width: vision.width, head_width: (32 * vision.width) / vision.heads, patch_size: null }
      : {
          layers: vision.layers,
          width: vision.width,
          head_width: vision.width / vision.heads,
          mlp_ratio: ratio(vision.mlpWidth, vision.width),
          patch_size: vision.patchSize,
        };
  return {
    model_cfg: {
      embed_dim: embedDim,
      quick_gelu: text.activation === "quick_gelu",
      init_logit_scale: logitScaleInit,
      ...(customText && { custom_text: true }),
      vision_cfg: { image_size: vision.imageSize, ...tower },
      text_cfg: {
        context_length: text.contextLength,
        vocab_size: text.vocabSize,
        width: text.width,
        heads: text.heads,
        layers: text.layers,
        mlp_ratio: ratio(text.mlpWidth, text.width),
      },
    },
    preprocess_cfg: preprocessToOpenClip(preprocess, path),
  };
}

/** So that floor(width * ratio), which is what open_clip computes, is the MLP's width. */
function ratio(mlpWidth: number, width: number): number {
  const exact = mlpWidth / width;
  return Math.floor(width * exact) === mlpWidth ? exact : (mlpWidth + 0.5) / width;
}
