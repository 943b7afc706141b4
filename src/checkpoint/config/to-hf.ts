/** ClipConfig -> Hugging Face's config.json of a CLIPModel. */
import { badInput } from "../../tensor/error.ts";
import type { ClipConfig } from "./config.ts";
import { LEGACY_EOS } from "./hf-config.ts";

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
