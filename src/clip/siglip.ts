/**
 * SigLIP's towers (arXiv 2303.15343, and of a fixed image size 2502.14786; transformers modeling_siglip.py). Images: no class
 * token, a learned query pools all tokens. Texts: no mask, the last position is pooled.
 */

import type { TextConfig, VitConfig } from "../checkpoint/config/config.ts";
import type { Node } from "../graph/node.ts";
import { add, expand, reshape, slice } from "../graph/ops/index.ts";
import { type Params, within } from "./parameters.ts";
import { embedTokens, type TextInputs } from "./text.ts";
import { attention, blocks, dense, mlp, norm, type Tap } from "./transformer.ts";
import { embedPatches } from "./vit.ts";

/** Raw embeddings [B, w] of normalised pixels [B, 3, S, S]. */
export function siglipVision(vision: VitConfig, p: Params, pixels: Node, tap?: Tap): Node {
  const { width, eps, activation } = vision;
  const [batch] = pixels.shape;
  const embeddings = within(p, "vision_model.embeddings");
  const [kernel, bias] = [embeddings("patch_embedding.weight"), embeddings("patch_embedding.bias")];
  const tokens = embedPatches(vision, kernel, pixels, bias);

  let x = add(tokens, reshape(embeddings("position_embedding.weight"), [tokens.shape[0], 1, width])); // [T, B, w]
  x = blocks(x, within(p, "vision_model.encoder.layers"), vision, {}, tap);
  x = norm(x, within(p, "vision_model.post_layernorm"), eps);

  const head = within(p, "vision_model.head");
  const query = expand(head("probe"), [1, batch, width]);
  const y = attention(query, x, unfused(within(head, "attention"), width), vision);
  const pooled = add(y, mlp(norm(y, within(head, "layernorm"), eps), within(head, "mlp"), activation));
  return reshape(pooled, [batch, width]);
}

/** Raw embeddings [B, E]; texts must be padded to the whole context length, for the padding is read too. */
export function siglipText(text: TextConfig, p: Params, { tokens }: TextInputs): Node {
  const { width, eps } = text;
  const [length, batch] = tokens.shape;
  let x = embedTokens(within(p, "text_model.embeddings"), tokens);
  const end = (rows: Node) => slice(rows, 0, length - 1, length);
  x = blocks(x, within(p, "text_model.encoder.layers"), text, { pick: end });
  const pooled = norm(reshape(x, [batch, width]), within(p, "text_model.final_layer_norm"), eps);
  return dense(pooled, within(p, "text_model.head"));
}

/** q_proj, k_proj and v_proj out of the `in_proj_weight` and `in_proj_bias` in which PyTorch stacks them. */
function unfused(p: Params, width: number): Params {
  const stacked = ["q_proj", "k_proj", "v_proj"];
  return (name) => {
    const [part, end] = name.split(".");
    const at = stacked.indexOf(part) * width;
    return at < 0 ? p(name) : slice(p(`in_proj_${end}`), 0, at, at + width);
  };
}
