/** A ClipConfig from nothing but tensor shapes, as OpenAI's own code builds its models. */

import { badInput } from "../tensor/error.ts";
import { type ClipConfig, checkConfig } from "./config.ts";

/**
 * `shapes` by our parameter names. What shapes do not tell is taken as in OpenAI's models: heads of 64 channels, QuickGELU,
 * epsilon 1e-5. Throws `bad-input` when a tensor is missing or its sizes do not make a model; `file` is named.
 */
export function inferConfig(shapes: ReadonlyMap<string, readonly number[]>, file: string): ClipConfig {
  const sizes = (name: string, rank: number): readonly number[] => {
    const shape = shapes.get(name);
    if (shape?.length !== rank) throw badInput(`${file}: ${name} ${shape ? `has shape [${shape}]` : "is missing"}`);
    return shape;
  };
  const tower = (name: string, width: number) => ({
    width,
    layers: layersOf(shapes, name),
    heads: width / 64,
    mlpWidth: sizes(`${name}.encoder.layers.0.mlp.fc1.weight`, 2)[0],
    activation: "quick_gelu" as const,
    eps: 1e-5,
  });
  const [visionWidth, , patchSize] = sizes("vision_model.embeddings.patch_embedding.weight", 4);
  const [tokens] = sizes("vision_model.embeddings.position_embedding.weight", 2);
  const [vocabSize, textWidth] = sizes("text_model.embeddings.token_embedding.weight", 2);
  const [contextLength] = sizes("text_model.embeddings.position_embedding.weight", 2);
  const [embedDim] = sizes("visual_projection.weight", 2);
  for (const [name, width] of Object.entries({ vision: visionWidth, text: textWidth })) {
    if (width % 64 !== 0) {
      throw badInput(
        `${file}: no config beside it says how many heads the ${name} width of ${width} has; add config.json`,
      );
    }
  }
  const config: ClipConfig = {
    embedDim,
    vision: { ...tower("vision_model", visionWidth), imageSize: patchSize * Math.sqrt(tokens - 1), patchSize },
    text: { ...tower("text_model", textWidth), contextLength, vocabSize, pooling: "largest-id" },
    logitScaleInit: Math.log(1 / 0.07),
  };
  return checkConfig(config, `${file}, read from its shapes`);
}

function layersOf(shapes: ReadonlyMap<string, unknown>, tower: string): number {
  let layers = 0;
  while (shapes.has(`${tower}.encoder.layers.${layers}.layer_norm1.weight`)) layers++;
  return layers;
}
