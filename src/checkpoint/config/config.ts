/** The sizes and choices that make a CLIP or SigLIP model, and the parameters that follow from them. */
import { badInput } from "../../tensor/error.ts";
import { type ResNetSizes, resnetShapes } from "./resnet-shapes.ts";

/**
 * `quick_gelu` is x sigmoid(1.702 x), which OpenAI's weights need; `gelu` is exact (erf); `gelu_pytorch_tanh`, SigLIP's, is
 * its approximation by tanh.
 */
export const activations = ["quick_gelu", "gelu", "gelu_pytorch_tanh"] as const;
export type Activation = (typeof activations)[number];

/**
 * Which position of the text is its embedding (as transformers does it):
 * - `largest-id`: the first position of the row's largest id. OpenAI, open_clip, and Hugging Face files that state the legacy
 *   eos 2 or an eos that is the vocabulary's last id.
 * - `first-eos`: the first position that holds `eosTokenId`. Other Hugging Face files, whose vocabulary goes on after eos.
 * - `last`: the last position. SigLIP, whose texts are padded to the context length and read without a mask.
 */
export type Pooling = "largest-id" | "first-eos" | "last";

interface TowerConfig {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly mlpWidth: number;
  readonly activation: Activation;
  /** LayerNorm's epsilon. */
  readonly eps: number;
}

/** CLIP's vision transformer, or SigLIP's: no class token, no norm before the blocks, a learned query that pools. */
export interface VitConfig extends TowerConfig {
  readonly kind?: "vit" | "siglip";
  readonly imageSize: number;
  readonly patchSize: number;
}

/** CLIP's ModifiedResNet; its features are 32 times as wide as its stem and 32 times as coarse as its image. */
export interface ResNetConfig extends ResNetSizes {
  readonly kind: "resnet";
  /** Of the attention that pools. */
  readonly heads: number;
}

export type VisionConfig = VitConfig | ResNetConfig;

export interface TextConfig extends TowerConfig {
  readonly contextLength: number;
  readonly vocabSize: number;
  readonly pooling: Pooling;
  readonly eosTokenId?: number;
  readonly bosTokenId?: number;
  /** What fills up a text to the context length where its tower reads that (SigLIP), unless the tokenizer says another. */
  readonly padTokenId?: number;
}

export interface ClipConfig {
  /** Width of the joint space of images and texts. */
  readonly embedDim: number;
  readonly vision: VisionConfig;
  readonly text: TextConfig;
  /** A logarithm: logits = exp(logit scale) cos. Only a start value; checkpoints hold their own. */
  readonly logitScaleInit: number;
}

/** Image tokens: one per patch, and CLIP's class token; of a ResNet those of the attention that pools. */
export function imageTokens(vision: VisionConfig): number {
  const grid = vision.imageSize / (vision.kind === "resnet" ? 32 : vision.patchSize);
  return vision.kind === "siglip" ? grid ** 2 : grid ** 2 + 1;
}

/** About four times the largest CLIP published: a hostile file cannot ask for endless memory. */
type Bound = readonly [name: string, value: number, most: number];
const towerBounds = (name: string, { width, layers, heads, mlpWidth }: TowerConfig): Bound[] => [
  [`${name} width`, width, 8192],
  [`${name} layers`, layers, 192],
  [`${name} heads`, heads, 128],
  [`${name} MLP width`, mlpWidth, 65536],
];
const visionBounds = (vision: VisionConfig): Bound[] => {
  if (vision.kind !== "resnet") return [["patch size", vision.patchSize, 256], ...towerBounds("vision", vision)];
  const blocks = vision.blocks.map((count, i): Bound => [`blocks of stage ${i + 1}`, count, 192]);
  return [["vision width", vision.width, 512], ["vision heads", vision.heads, 1024], ...blocks];
};

/** The config itself if a model can be built from it; throws `bad-input` naming the value, `source` and what would work. */
export function checkConfig(config: ClipConfig, source: string): ClipConfig {
  const { vision, text } = config;
  if (vision.kind === "resnet" && vision.blocks.length !== 4)
    throw badInput(`${source}: a ResNet has 4 stages, not ${vision.blocks.length}`);
  const counts: Bound[] = [
    ["joint width", config.embedDim, 8192],
    ["image size", vision.imageSize, 2048],
    ["context length", text.contextLength, 4096],
    ["vocabulary size", text.vocabSize, 2 ** 20],
    ...visionBounds(vision),
    ...towerBounds("text", text),
  ];
  for (const [name, value, most] of counts) {
    if (!Number.isInteger(value) || value < 1 || value > most)
      throw badInput(`${source}: ${name} is ${value}; it must be an integer from 1 to ${most}`);
  }
  const step = vision.kind === "resnet" ? 32 : vision.patchSize;
  if (vision.imageSize % step !== 0) {
    const what = vision.kind === "resnet" ? "32, a ResNet's step" : `patch size ${step}`;
    throw badInput(`${source}: image size ${vision.imageSize} is not a multiple of ${what}`);
  }
  if (vision.kind === "resnet") {
    divides("vision features", 32 * vision.width, vision.heads, source);
    if (vision.width % 2 !== 0) throw badInput(`${source}: a ResNet's stem width must be even, not ${vision.width}`);
  } else checkTower("vision", vision, source);
  checkTower("text", text, source);
  const { eosTokenId } = text;
  if (text.pooling === "first-eos" && !(eosTokenId !== undefined && eosTokenId < text.vocabSize))
    throw badInput(`${source}: eos_token_id ${eosTokenId} is not in a vocabulary of ${text.vocabSize}`);
  if (!(Math.abs(config.logitScaleInit) <= 100))
    throw badInput(`${source}: initial logit scale ${config.logitScaleInit}`);
  return config;
}

function checkTower(name: string, { width, heads, eps }: TowerConfig, source: string): void {
  divides(`${name} width`, width, heads, source);
  if (!(eps > 0 && eps <= 0.1)) throw badInput(`${source}: ${name} LayerNorm epsilon ${eps} is not in (0, 0.1]`);
}

function divides(name: string, width: number, heads: number, source: string): void {
  if (width % heads !== 0) throw badInput(`${source}: ${name} ${width} is not a multiple of its ${heads} heads`);
}

/** "ViT 224/32, width 768, 12 layers": what a person wants to know of the image tower. */
export function architectureOf({ vision }: ClipConfig): string {
  const { imageSize, width } = vision;
  if (vision.kind === "resnet") return `ResNet ${imageSize}, width ${width}, ${vision.blocks.join("-")} blocks`;
  const name = vision.kind === "siglip" ? "SigLIP ViT" : "ViT";
  return `${name} ${imageSize}/${vision.patchSize}, width ${width}, ${vision.layers} layers`;
}

/**
 * Every parameter by name with its shape, in the order of the forward pass; running statistics of batch normalisation are
 * among them. Names are those of Hugging Face's CLIPModel and SiglipModel; a ResNet, which has no such form, keeps OpenAI's
 * names. Linear weights are [out, in].
 */
export function parameterShapes({ embedDim, vision, text }: ClipConfig): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  const siglip = vision.kind === "siglip";
  const norm = (name: string, width: number) => shapes.set(`${name}.weight`, [width]).set(`${name}.bias`, [width]);
  const linear = (name: string, from: number, to: number) =>
    shapes.set(`${name}.weight`, [to, from]).set(`${name}.bias`, [to]);
  const mlp = (name: string, { width, mlpWidth }: TowerConfig) => {
    linear(`${name}.fc1`, width, mlpWidth);
    linear(`${name}.fc2`, mlpWidth, width);
  };
  const blocks = (tower: string, config: TowerConfig) => {
    const { width } = config;
    for (let layer = 0; layer < config.layers; layer++) {
      const block = `${tower}.encoder.layers.${layer}`;
      norm(`${block}.layer_norm1`, width);
      for (const part of ["q_proj", "k_proj", "v_proj", "out_proj"]) linear(`${block}.self_attn.${part}`, width, width);
      norm(`${block}.layer_norm2`, width);
      mlp(`${block}.mlp`, config);
    }
  };

  if (vision.kind === "resnet") {
    for (const [name, shape] of resnetShapes(vision, embedDim)) shapes.set(name, shape);
  } else {
    const { width, patchSize } = vision;
    const embeddings = "vision_model.embeddings";
    shapes.set(`${embeddings}.patch_embedding.weight`, [width, 3, patchSize, patchSize]);
    shapes.set(`${embeddings}.${siglip ? "patch_embedding.bias" : "class_embedding"}`, [width]);
    shapes.set(`${embeddings}.position_embedding.weight`, [imageTokens(vision), width]);
    if (!siglip) norm("vision_model.pre_layrnorm", width); // sic
    blocks("vision_model", vision);
    norm("vision_model.post_layernorm", width);
    if (siglip) {
      shapes.set("vision_model.head.probe", [1, 1, width]);
      shapes.set("vision_model.head.attention.in_proj_weight", [3 * width, width]);
      shapes.set("vision_model.head.attention.in_proj_bias", [3 * width]);
      linear("vision_model.head.attention.out_proj", width, width);
      norm("vision_model.head.layernorm", width);
      mlp("vision_model.head.mlp", vision);
    } else {
      shapes.set("visual_projection.weight", [embedDim, width]);
    }
  }

  shapes.set("text_model.embeddings.token_embedding.weight", [text.vocabSize, text.width]);
  shapes.set("text_model.embeddings.position_embedding.weight", [text.contextLength, text.width]);
  blocks("text_model", text);
  norm("text_model.final_layer_norm", text.width);
  if (siglip) linear("text_model.head", text.width, embedDim);
  else shapes.set("text_projection.weight", [embedDim, text.width]);

  shapes.set("logit_scale", siglip ? [1] : []);
  if (siglip) shapes.set("logit_bias", [1]);
  return shapes;
}
