/** CLIP's vision transformer (arXiv 2103.00020; openai/CLIP clip/model.py): embed, transform, pool the class token, project. */

import type { VitConfig } from "../checkpoint/config/config.ts";
import type { Node } from "../graph/node.ts";
import { add, concat, expand, linear, reshape, slice, transpose } from "../graph/ops/index.ts";
import { type Params, within } from "./parameters.ts";
import { blocks, norm, type Tap } from "./transformer.ts";

/** Raw embeddings [B, E] of normalised pixels [B, 3, S, S]. */
export function visionTransformer(vision: VitConfig, p: Params, pixels: Node, tap?: Tap): Node {
  const { width, eps } = vision;
  const [batch] = pixels.shape;
  const embeddings = within(p, "vision_model.embeddings");
  const patches = embedPatches(vision, embeddings("patch_embedding.weight"), pixels);
  const classToken = expand(reshape(embeddings("class_embedding"), [1, 1, width]), [1, batch, width]);
  const tokens = concat([classToken, patches], 0);

  let x = add(tokens, reshape(embeddings("position_embedding.weight"), [tokens.shape[0], 1, width])); // [T, B, w]
  x = norm(x, within(p, "vision_model.pre_layrnorm"), eps);
  x = blocks(x, within(p, "vision_model.encoder.layers"), vision, { pick: (rows) => slice(rows, 0, 0, 1) }, tap);
  const pooled = norm(reshape(x, [batch, width]), within(p, "vision_model.post_layernorm"), eps);
  return linear(pooled, p("visual_projection.weight"));
}

/** [B, 3, S, S] -> [g g, B, w]: the convolution of stride p is a linear map of each patch. */
export function embedPatches(
  { imageSize, patchSize, width }: VitConfig,
  kernel: Node,
  pixels: Node,
  bias?: Node,
): Node {
  const [batch, channels] = pixels.shape;
  const grid = imageSize / patchSize;
  const values = channels * patchSize * patchSize;
  const cut = reshape(pixels, [batch, channels, grid, patchSize, grid, patchSize]);
  const patches = reshape(transpose(cut, [2, 4, 0, 1, 3, 5]), [grid * grid * batch, values]);
  return reshape(linear(patches, reshape(kernel, [width, values]), bias), [grid * grid, batch, width]);
}
