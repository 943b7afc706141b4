/** Parameters as graph inputs, and as fresh random weights. Their names: see config.ts. */

import { type ClipConfig, parameterShapes } from "../checkpoint/config/config.ts";
import { input, type Node } from "../graph/node.ts";
import { badInput } from "../tensor/error.ts";
import { random } from "../tensor/random.ts";
import { sizeOf, type Tensor, type Weights } from "../tensor/tensor.ts";

/** A parameter's graph node by name. */
export type Params = (name: string) => Node;

/** The names below a prefix, as a module sees its own. */
export const within =
  (p: Params, prefix: string): Params =>
  (name) =>
    p(`${prefix}.${name}`);

/** Graph inputs named as the parameters; asking twice gives the same node. `shapes` where they are not those of the config. */
export function parameterInputs(
  config: ClipConfig,
  shapes: ReadonlyMap<string, readonly number[]> = parameterShapes(config),
): Params {
  return inputsOf(shapes);
}

/** The same for any shapes by name. Asking for another name throws `bad-input`. */
export function inputsOf(shapes: ReadonlyMap<string, readonly number[]>): Params {
  const nodes = new Map<string, Node>();
  return (name) => {
    const shape = shapes.get(name);
    if (shape === undefined) throw badInput(`the model has no parameter ${name}`);
    const node = nodes.get(name) ?? input(name, shape);
    nodes.set(name, node);
    return node;
  };
}

export const isVision = (name: string) => /^(vision_model|visual_projection|visual)\./.test(name);

/** The last linear map of the image tower, from features to the space that texts share. SigLIP has none. */
export const isProjection = (name: string) => /^visual(_projection|\.attnpool\.c_proj)\./.test(name);

/** What comes after the other blocks of a transformer's image tower: its last block, norm and projection. */
export const isLastBlock = (layers: number) => (name: string) =>
  isVision(name) && (name.includes(`.layers.${layers - 1}.`) || !/embeddings|pre_layrnorm|\.layers\./.test(name));

/**
 * Fresh weights to pre-train from, with the deviations of OpenAI's `initialize_parameters` (clip/model.py) in both towers;
 * a ResNet's convolutions with He's (arXiv 1502.01852).
 */
export function initialWeights(config: ClipConfig, seed: number): Weights {
  const weights = new Map<string, Tensor>();
  for (const [name, shape] of parameterShapes(config)) {
    const data = new Float32Array(sizeOf(shape));
    const deviation = initialDeviation(name, shape, config);
    const rng = random(seed, "initial weights", name);
    if (name === "logit_scale") data[0] = config.logitScaleInit;
    else if (name === "logit_bias") data[0] = -10;
    else if (/(norm\d?|\.bn\d|downsample\.1)\.weight$|running_var$/.test(name)) data.fill(1);
    else if (deviation > 0) for (let i = 0; i < data.length; i++) data[i] = deviation * rng.normal();
    weights.set(name, { shape, data });
  }
  return weights;
}

function initialDeviation(name: string, shape: readonly number[], { vision, text }: ClipConfig): number {
  if (/[._](bias|running_mean)$/.test(name)) return 0;
  if (name.startsWith("text_model.embeddings.token")) return 0.02;
  if (name.startsWith("text_model.embeddings.position")) return 0.01;
  if (name.endsWith("patch_embedding.weight")) return 0.02;
  if (shape.length === 4) return Math.sqrt(2 / (shape[1] * shape[2] * shape[3]));
  const tower = isVision(name) ? vision : text;
  if ("blocks" in tower) return (32 * tower.width) ** -0.5; // attention pooling
  const { width, layers } = tower;
  if (name.endsWith("out_proj.weight") || name.endsWith("fc2.weight")) return (2 * width * layers) ** -0.5;
  if (name.endsWith("fc1.weight")) return (2 * width) ** -0.5;
  return width ** -0.5; // attention, projections, class and position embeddings
}
