/** CLIP's two towers as the paper draws them (arXiv 2103.00020; openai/CLIP clip/model.py): embed, transform, pool, project. */

import type { ClipConfig } from "../checkpoint/config.ts";
import { constant, type Node } from "../graph/node.ts";
import { add, concat, expand, gather, linear, mul, reshape, slice, transpose } from "../graph/ops/index.ts";
import { type Params, within } from "./parameters.ts";
import { block, norm } from "./transformer.ts";

/** Per-channel mean and deviation of the pixels, in [0, 1]. */
export interface Normalization {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Raw image embeddings [B, E] of pixels [B, 3, S, S] in [0, 1]; normalising them is part of the graph. */
export function imageTower({ vision }: ClipConfig, p: Params, pixels: Node, normalization: Normalization): Node {
  const { imageSize, patchSize, width, layers, eps } = vision;
  const [batch, channels] = pixels.shape;
  const grid = imageSize / patchSize;
  const embeddings = within(p, "vision_model.embeddings");

  // the convolution of stride p is a linear map of each patch: [B, 3, g, p, g, p] -> [g g B, 3 p p]
  const cut = reshape(normalize(pixels, normalization), [batch, channels, grid, patchSize, grid, patchSize]);
  const patches = reshape(transpose(cut, [2, 4, 0, 1, 3, 5]), [grid * grid * batch, channels * patchSize * patchSize]);
  const kernel = reshape(embeddings("patch_embedding.weight"), [width, channels * patchSize * patchSize]);
  const tokens = reshape(linear(patches, kernel), [grid * grid, batch, width]);
  const classToken = expand(reshape(embeddings("class_embedding"), [1, 1, width]), [1, batch, width]);
  const positions = reshape(embeddings("position_embedding.weight"), [grid * grid + 1, 1, width]);

  let x = add(concat([classToken, tokens], 0), positions); // [T, B, w]
  x = norm(x, within(p, "vision_model.pre_layrnorm"), eps);
  const first = (rows: Node) => slice(rows, 0, 0, 1);
  for (let n = 0; n < layers; n++) {
    const pick = n === layers - 1 ? first : undefined;
    x = block(x, within(p, `vision_model.encoder.layers.${n}`), { ...vision, pick });
  }
  const pooled = norm(reshape(first(x), [batch, width]), within(p, "vision_model.post_layernorm"), eps);
  return linear(pooled, p("visual_projection.weight"));
}

/** (pixels - mean) / std per channel. */
function normalize(pixels: Node, { mean, std }: Normalization): Node {
  const channel = (values: readonly number[]) => constant(Float32Array.from(values), [values.length, 1, 1]);
  const factor = std.map((s) => 1 / s);
  return add(mul(pixels, channel(factor)), channel(mean.map((m, c) => -m * factor[c])));
}

/** Token ids and where each text ends; made by `tokenBatch`. */
export interface TextInputs {
  /** [L, B], time first. */
  readonly tokens: Node;
  /** [B]: position of the pooled token. */
  readonly ends: Node;
  /** [B]: the same as a row of the flattened [L B, w]. */
  readonly endRows: Node;
}

/** Raw text embeddings [B, E]. L may be any length that holds the texts: the mask is causal, so later positions do not count. */
export function textTower({ text }: ClipConfig, p: Params, { tokens, ends, endRows }: TextInputs): Node {
  const { width, layers, eps } = text;
  const [length, batch] = tokens.shape;
  const embeddings = within(p, "text_model.embeddings");
  const positions = slice(embeddings("position_embedding.weight"), 0, 0, length);

  let x = add(gather(embeddings("token_embedding.weight"), tokens), reshape(positions, [length, 1, width])); // [L, B, w]
  const causal = causalMask(length);
  const endRow = (rows: Node) =>
    reshape(gather(reshape(rows, [rows.shape[0] * batch, width]), endRows), [1, batch, width]);
  for (let n = 0; n < layers; n++) {
    const last = n === layers - 1;
    const mask = last ? reshape(gather(causal, ends), [batch, 1, 1, length]) : causal;
    x = block(x, within(p, `text_model.encoder.layers.${n}`), { ...text, mask, pick: last ? endRow : undefined });
  }
  const pooled = norm(reshape(x, [batch, width]), within(p, "text_model.final_layer_norm"), eps);
  return linear(pooled, p("text_projection.weight"));
}

/** 0 on and below the diagonal; above it a number that softmax turns into 0. */
function causalMask(length: number): Node {
  const mask = new Float32Array(length * length);
  for (let i = 0; i < length; i++) mask.fill(-1e9, i * length + i + 1, (i + 1) * length);
  return constant(mask, [length, length]);
}
