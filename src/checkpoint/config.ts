/** The sizes and choices that make a CLIP model with vision transformer, and the parameters that follow from them. */
import { badInput } from "../tensor/error.ts";

/** `quick_gelu` is x sigmoid(1.702 x), which OpenAI's weights need; `gelu` is exact (erf). */
export type Activation = "quick_gelu" | "gelu";

/**
 * Which position of the text is its embedding (as transformers does it):
 * - `largest-id`: the first position of the row's largest id. OpenAI, open_clip, and Hugging Face files that state the legacy
 *   eos 2 or an eos that is the vocabulary's last id.
 * - `first-eos`: the first position that holds `eosTokenId`. Other Hugging Face files, whose vocabulary goes on after eos.
 */
export type Pooling = "largest-id" | "first-eos";

interface TowerConfig {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly mlpWidth: number;
  readonly activation: Activation;
  /** LayerNorm's epsilon. */
  readonly eps: number;
}

export interface VisionConfig extends TowerConfig {
  readonly imageSize: number;
  readonly patchSize: number;
}

export interface TextConfig extends TowerConfig {
  readonly contextLength: number;
  readonly vocabSize: number;
  readonly pooling: Pooling;
  readonly eosTokenId?: number;
  readonly bosTokenId?: number;
}

export interface ClipConfig {
  /** Width of the joint space of images and texts. */
  readonly embedDim: number;
  readonly vision: VisionConfig;
  readonly text: TextConfig;
  /** A logarithm: logits = exp(logit scale) cos. Only a start value; checkpoints hold their own. */
  readonly logitScaleInit: number;
}

/** Image tokens of the vision tower: the class token and one per patch. */
export function imageTokens({ imageSize, patchSize }: Pick<VisionConfig, "imageSize" | "patchSize">): number {
  return (imageSize / patchSize) ** 2 + 1;
}

/** The config itself if a model can be built from it; throws `bad-input` naming the value, `source` and what would work. */
export function checkConfig(config: ClipConfig, source: string): ClipConfig {
  const { vision, text } = config;
  // About four times the largest CLIP published: a hostile file cannot ask for endless memory.
  const counts: readonly (readonly [string, number, number])[] = [
    ["joint width", config.embedDim, 8192],
    ["image size", vision.imageSize, 2048],
    ["patch size", vision.patchSize, 256],
    ["context length", text.contextLength, 4096],
    ["vocabulary size", text.vocabSize, 2 ** 20],
    ...[["vision", vision] as const, ["text", text] as const].flatMap(([tower, { width, layers, heads, mlpWidth }]) => [
      [`${tower} width`, width, 8192] as const,
      [`${tower} layers`, layers, 192] as const,
      [`${tower} heads`, heads, 128] as const,
      [`${tower} MLP width`, mlpWidth, 65536] as const,
    ]),
  ];
  for (const [name, value, most] of counts) {
    if (!Number.isInteger(value) || value < 1 || value > most) {
      throw badInput(`${source}: ${name} is ${value}; it must be an integer from 1 to ${most}`);
    }
  }
  if (vision.imageSize % vision.patchSize !== 0) {
    throw badInput(`${source}: image size ${vision.imageSize} is not a multiple of patch size ${vision.patchSize}`);
  }
  for (const [tower, { width, heads, eps }] of Object.entries({ vision, text })) {
    if (width % heads !== 0)
      throw badInput(`${source}: ${tower} width ${width} is not a multiple of its ${heads} heads`);
    if (!(eps > 0 && eps <= 0.1)) throw badInput(`${source}: ${tower} LayerNorm epsilon ${eps} is not in (0, 0.1]`);
  }
  const { eosTokenId } = text;
  if (text.pooling === "first-eos" && !(eosTokenId !== undefined && eosTokenId < text.vocabSize)) {
    throw badInput(`${source}: eos_token_id ${eosTokenId} is not in a vocabulary of ${text.vocabSize}`);
  }
  if (!(Math.abs(config.logitScaleInit) <= 100))
    throw badInput(`${source}: initial logit scale ${config.logitScaleInit}`);
  return config;
}

/**
 * Every parameter by name with its shape, in the order of the forward pass. Names are those of Hugging Face's CLIPModel;
 * linear weights are [out, in].
 */
export function parameterShapes({ embedDim, vision, text }: ClipConfig): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  const norm = (name: string, width: number) => shapes.set(`${name}.weight`, [width]).set(`${name}.bias`, [width]);
  const linear = (name: string, from: number, to: number) =>
    shapes.set(`${name}.weight`, [to, from]).set(`${name}.bias`, [to]);
  const blocks = (tower: string, { width, layers, mlpWidth }: TowerConfig) => {
    for (let layer = 0; layer < layers; layer++) {
      const block = `${tower}.encoder.layers.${layer}`;
      norm(`${block}.layer_norm1`, width);
      for (const part of ["q_proj", "k_proj", "v_proj", "out_proj"]) linear(`${block}.self_attn.${part}`, width, width);
      norm(`${block}.layer_norm2`, width);
      linear(`${block}.mlp.fc1`, width, mlpWidth);
      linear(`${block}.mlp.fc2`, mlpWidth, width);
    }
  };

  const { patchSize } = vision;
  shapes.set("vision_model.embeddings.patch_embedding.weight", [vision.width, 3, patchSize, patchSize]);
  shapes.set("vision_model.embeddings.class_embedding", [vision.width]);
  shapes.set("vision_model.embeddings.position_embedding.weight", [imageTokens(vision), vision.width]);
  norm("vision_model.pre_layrnorm", vision.width); // sic
  blocks("vision_model", vision);
  norm("vision_model.post_layernorm", vision.width);
  shapes.set("visual_projection.weight", [embedDim, vision.width]);

  shapes.set("text_model.embeddings.token_embedding.weight", [text.vocabSize, text.width]);
  shapes.set("text_model.embeddings.position_embedding.weight", [text.contextLength, text.width]);
  blocks("text_model", text);
  norm("text_model.final_layer_norm", text.width);
  shapes.set("text_projection.weight", [embedDim, text.width]);

  shapes.set("logit_scale", []);
  return shapes;
}
