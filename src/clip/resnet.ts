/** CLIP's ModifiedResNet (openai/CLIP clip/model.py): a stem of three convolutions, anti-aliased bottlenecks, attention pooling. */

import type { ResNetConfig } from "../checkpoint/config/config.ts";
import type { Node } from "../graph/node.ts";
import { add, averagePool, concat, reduceMean, relu, reshape, slice, transpose } from "../graph/ops/index.ts";
import { type BatchStatistics, convNorm } from "./batch-norm.ts";
import { type Params, within } from "./parameters.ts";
import { attention } from "./transformer.ts";

/** Raw embeddings [B, E] of normalised pixels [B, 3, S, S]; batch normalisation is in training mode where `statistics` is given. */
export function resnet({ blocks, heads }: ResNetConfig, p: Params, pixels: Node, statistics?: BatchStatistics): Node {
  const layer: Layer = (x, name, norm, { stride = 1, pad = 0 } = {}) =>
    convNorm(x, p, { conv: `visual.${name}`, norm: `visual.${norm}`, stride, pad }, statistics);
  let x = relu(layer(pixels, "conv1", "bn1", { stride: 2, pad: 1 }));
  x = relu(layer(x, "conv2", "bn2", { pad: 1 }));
  x = averagePool(relu(layer(x, "conv3", "bn3", { pad: 1 })), 2);
  for (const [stage, count] of blocks.entries()) {
    for (let n = 0; n < count; n++) x = bottleneck(x, layer, `layer${stage + 1}.${n}`, n === 0, stage > 0 ? 2 : 1);
  }
  return attentionPool(x, within(p, "visual.attnpool"), heads);
}

type Layer = (x: Node, conv: string, norm: string, steps?: { stride?: number; pad?: number }) => Node;

/** The first block of a stage strides, by averaging windows, and brings the shortcut to its own channels. */
function bottleneck(x: Node, layer: Layer, name: string, first: boolean, stride: number): Node {
  const shrink = (images: Node) => (first && stride > 1 ? averagePool(images, stride) : images);
  let y = relu(layer(x, `${name}.conv1`, `${name}.bn1`));
  y = relu(layer(y, `${name}.conv2`, `${name}.bn2`, { pad: 1 }));
  y = layer(shrink(y), `${name}.conv3`, `${name}.bn3`);
  const shortcut = first ? layer(shrink(x), `${name}.downsample.0`, `${name}.downsample.1`) : x;
  return relu(add(y, shortcut));
}

/** The mean of all places asks, all places and their mean answer: [B, C, H, W] -> [B, E]. */
function attentionPool(x: Node, p: Params, heads: number): Node {
  const [batch, channels, height, width] = x.shape;
  const places = transpose(reshape(x, [batch, channels, height * width]), [2, 0, 1]); // [H W, B, C]
  const tokens = concat([reduceMean(places, [0], true), places], 0);
  const all = add(tokens, reshape(p("positional_embedding"), [tokens.shape[0], 1, channels]));
  const named: Params = (name) => p(name.replace("out_proj", "c_proj"));
  const pooled = attention(slice(all, 0, 0, 1), all, named, { heads });
  return reshape(pooled, [batch, pooled.shape[2]]);
}
