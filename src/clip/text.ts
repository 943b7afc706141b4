/** CLIP's text transformer (openai/CLIP clip/model.py): embed, transform under a causal mask, pool the end, project. */

import type { TextConfig } from "../checkpoint/config/config.ts";
import { constant, type Node } from "../graph/node.ts";
import { add, gather, linear, reshape, slice } from "../graph/ops/index.ts";
import { type Params, within } from "./parameters.ts";
import { blocks, norm } from "./transformer.ts";

/** Token ids and where each text ends; made by `tokenBatch`. */
export interface TextInputs {
  /** [L, B], time first. */
  readonly tokens: Node;
  /** [B]: position of the pooled token. */
  readonly ends: Node;
  /** [B]: the same as a row of the flattened [L B, w]. */
  readonly endRows: Node;
}

/** Raw embeddings [B, E]. L may be any length that holds the texts: the mask is causal, so later positions do not count. */
export function textTransformer(text: TextConfig, p: Params, { tokens, ends, endRows }: TextInputs): Node {
  const { width, eps } = text;
  const [length, batch] = tokens.shape;
  let x = embedTokens(within(p, "text_model.embeddings"), tokens);
  const causal = causalMask(length, text.contextLength);
  const endRow = (rows: Node) =>
    reshape(gather(reshape(rows, [rows.shape[0] * batch, width]), endRows), [1, batch, width]);
  const last = { mask: reshape(gather(causal, ends), [batch, 1, 1, length]), pick: endRow };
  x = blocks(x, within(p, "text_model.encoder.layers"), { ...text, mask: causal }, last);
  const pooled = norm(reshape(x, [batch, width]), within(p, "text_model.final_layer_norm"), eps);
  return linear(pooled, p("text_projection.weight"));
}

/** Tokens [L, B] with their positions: [L, B, w]. */
export function embedTokens(p: Params, tokens: Node): Node {
  const [length] = tokens.shape;
  const x = gather(p("token_embedding.weight"), tokens);
  const positions = slice(p("position_embedding.weight"), 0, 0, length);
  return add(x, reshape(positions, [length, 1, x.shape[2]]));
}

/**
 * 0 on and below the diagonal; above it a number that softmax turns into 0. A length above the longest stands for one that is
 * only known when the program runs: its mask is cut out of the largest.
 */
function causalMask(length: number, longest: number): Node {
  if (length > longest) return slice(slice(causalMask(longest, longest), 0, 0, length), 1, 0, length);
  const mask = new Float32Array(length * length);
  for (let i = 0; i < length; i++) mask.fill(-1e9, i * length + i + 1, (i + 1) * length);
  return constant(mask, [length, length]);
}
