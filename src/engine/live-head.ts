/**
 * The zero-shot head that a model's own text tower makes. Where the text tower learns too, a frozen head says what the images have become
 * against the old texts; what a user gets is the live one.
 */
import type { Tensor, Weights } from "../tensor/tensor.ts";
import type { Encoder } from "./encoder.ts";
import { zeroShotHead } from "./zero-shot.ts";

/** Head [C, E] for weights: the same for all where it is frozen. */
export type HeadOf = (weights: Weights) => Promise<Tensor>;

/** The head for weights, frozen or live. */
export const headFor = async (head: Tensor | HeadOf, weights: Weights): Promise<Tensor> =>
  typeof head === "function" ? head(weights) : head;

/** The head of the weights asked about, made once for each; `known` is that of some weights. */
export function liveHead(
  encoder: Encoder,
  { classNames, templates }: { readonly classNames: readonly string[]; readonly templates: readonly string[] },
  known?: { readonly weights: Weights; readonly head: Tensor },
  signal?: AbortSignal,
): HeadOf {
  const heads = new WeakMap<Weights, Promise<Tensor>>();
  if (known !== undefined) heads.set(known.weights, Promise.resolve(known.head));
  return (weights) => {
    const head = heads.get(weights) ?? zeroShotHead(encoder, weights, classNames, templates, signal);
    heads.set(weights, head);
    head.catch(() => heads.delete(weights)); // an interrupted one may be asked again
    return head;
  };
}
