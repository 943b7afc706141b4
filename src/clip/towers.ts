/** The two towers of a model, whatever its architecture: pixels and tokens in, raw embeddings out. */

import type { ClipConfig } from "../checkpoint/config/config.ts";
import { constant, type Node } from "../graph/node.ts";
import { div, sub } from "../graph/ops/index.ts";
import type { BatchStatistics } from "./batch-norm.ts";
import type { Params } from "./parameters.ts";
import { resnet } from "./resnet.ts";
import { siglipText, siglipVision } from "./siglip.ts";
import { type TextInputs, textTransformer } from "./text.ts";
import type { Tap } from "./transformer.ts";
import { visionTransformer } from "./vit.ts";

export type { TextInputs } from "./text.ts";

/** Per-channel mean and deviation of the pixels, in [0, 1]. */
export interface Normalization {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * Raw image embeddings [B, E] of pixels [B, 3, S, S] in [0, 1]; normalising them is part of the graph. With `statistics`,
 * batch normalisation is in training mode: by the batch's own statistics, and the running ones are reported as they follow.
 * `tap` is told what the blocks of a transformer make; a ResNet has none.
 */
export function imageTower(
  { vision }: ClipConfig,
  p: Params,
  pixels: Node,
  normalization: Normalization,
  statistics?: BatchStatistics,
  tap?: Tap,
): Node {
  const x = normalize(pixels, normalization);
  if (vision.kind === "resnet") return resnet(vision, p, x, statistics);
  return vision.kind === "siglip" ? siglipVision(vision, p, x, tap) : visionTransformer(vision, p, x, tap);
}

/** Raw text embeddings [B, E]. */
export function textTower({ text }: ClipConfig, p: Params, inputs: TextInputs): Node {
  return text.pooling === "last" ? siglipText(text, p, inputs) : textTransformer(text, p, inputs);
}

/** (pixels - mean) / std per channel, in that order, as torchvision and transformers round it. */
function normalize(pixels: Node, { mean, std }: Normalization): Node {
  const channel = (values: readonly number[]) => constant(Float32Array.from(values), [values.length, 1, 1]);
  return div(sub(pixels, channel(mean)), channel(std));
}
