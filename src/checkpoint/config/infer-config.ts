/** A ClipConfig from nothing but tensor shapes, as OpenAI's own code builds its models. */

import { badInput } from "../../tensor/error.ts";
import { type ClipConfig, checkConfig, type ResNetConfig, type VitConfig } from "./config.ts";

/**
 * `shapes` by our parameter names. What shapes do not tell is taken as in OpenAI's models: heads of 64 channels, QuickGELU,
 * epsilon 1e-5; for SigLIP as in Google's. Throws `bad-input` when a tensor is missing or its sizes do not make a model, and
 * when they leave the number of heads open; `file` is named.
 */
export function inferConfig(shapes: ReadonlyMap<string, readonly number[]>, file: string): ClipConfig {
  const sizes = (name: string, rank: number): readonly number[] => {
    const shape = shapes.get(name);
    if (shape?.length !== rank) throw badInput(`${file}: ${name} ${shape ? `has shape [${shape}]` : "is missing"}`);
    return shape;
  };
  const siglip = shapes.has("logit_bias");
  const heads = siglip ? siglipHeads : clipHeads;
  const choices = siglip
    ? ({ activation: "gelu_pytorch_tanh", eps: 1e-6 } as const)
    : ({ activation: "quick_gelu", eps: 1e-5 } as const);
  const tower = (name: "vision" | "text", width: number) => ({
    width,
    layers: layersOf(shapes, `${name}_model.encoder.layers.`, ".layer_norm1.weight"),
    heads: headsOf(name, width, heads, file),
    mlpWidth: sizes(`${name}_model.encoder.layers.0.mlp.fc1.weight`, 2)[0],
    ...choices,
  });
  const vit = (): VitConfig => {
    const [width, , patchSize] = sizes("vision_model.embeddings.patch_embedding.weight", 4);
    const [tokens] = sizes("vision_model.embeddings.position_embedding.weight", 2);
    const imageSize = patchSize * Math.sqrt(siglip ? tokens : tokens - 1);
    return { ...(siglip && { kind: "siglip" }), ...tower("vision", width), imageSize, patchSize };
  };
  const resnet = (): ResNetConfig => {
    const [width] = sizes("visual.layer1.0.conv1.weight", 4);
    const [tokens] = sizes("visual.attnpool.positional_embedding", 2);
    const blocks = [1, 2, 3, 4].map((stage) => layersOf(shapes, `visual.layer${stage}.`, ".conv1.weight"));
    return { kind: "resnet", imageSize: 32 * Math.sqrt(tokens - 1), width, blocks, heads: width / 2 };
  };
  const isResNet = shapes.has("visual.layer1.0.conv1.weight");
  const [embedDim] = isResNet
    ? sizes("visual.attnpool.c_proj.weight", 2)
    : sizes(siglip ? "text_model.head.weight" : "visual_projection.weight", 2);
  const [vocabSize, textWidth] = sizes("text_model.embeddings.token_embedding.weight", 2);
  const [contextLength] = sizes("text_model.embeddings.position_embedding.weight", 2);
  const config: ClipConfig = {
    embedDim,
    vision: isResNet ? resnet() : vit(),
    text: { ...tower("text", textWidth), contextLength, vocabSize, pooling: siglip ? "last" : "largest-id" },
    logitScaleInit: siglip ? Math.log(10) : Math.log(1 / 0.07),
  };
  return checkConfig(config, `${file}, read from its shapes`);
}

/** OpenAI's towers are at most 1024 wide; wider ones, of open_clip, have heads of other sizes. */
const clipHeads = (width: number) => (width % 64 === 0 && width <= 1024 ? width / 64 : undefined);
/** Of base, large and so400m. */
const siglipHeads = (width: number) => ({ 768: 12, 1024: 16, 1152: 16 })[width];

function headsOf(tower: string, width: number, rule: (width: number) => number | undefined, file: string): number {
  const heads = rule(width);
  if (heads !== undefined) return heads;
  const advice = "add config.json or open_clip_config.json";
  throw badInput(`${file}: no config beside it says how many heads the ${tower} width of ${width} has; ${advice}`);
}

function layersOf(shapes: ReadonlyMap<string, unknown>, before: string, after: string): number {
  let layers = 0;
  while (shapes.has(`${before}${layers}${after}`)) layers++;
  return layers;
}
