/**
 * The same model with hidden layers one cache line wider. Where rows lie a multiple of 4096 bytes apart, as those of ViT-B/32's 3072
 * values do, a column of them falls on the same few places of a processor's first cache, and products with such matrices lose a quarter
 * of their speed. The values added are zeros. They change nothing: act(0) is 0 for every activation here; and in training both
 * their gradients are products with these zeros, so zeros they stay.
 */

import { sizeOf, type Tensor, tensor, type Weights } from "../tensor/tensor.ts";
import { isVision } from "./parameters.ts";

const cacheLine = 64 / Float32Array.BYTES_PER_ELEMENT;
const period = 4096 / Float32Array.BYTES_PER_ELEMENT;

/** The weights with the hidden layers of the image tower widened where it pays; the others are shared. */
export function widened(weights: Weights): Weights {
  return new Map(
    [...weights].map(([name, value]) => {
      const [, layer, part] = (isVision(name) && /\.mlp\.fc([12])\.(weight|bias)$/.exec(name)) || [];
      const { shape } = value;
      if (layer === "1") return [name, corner(value, [wide(shape[0]), ...shape.slice(1)])];
      if (layer === "2" && part === "weight") return [name, corner(value, [shape[0], wide(shape[1])])];
      return [name, value];
    }),
  );
}

const wide = (hidden: number) => (hidden % period === 0 ? hidden + cacheLine : hidden);

/** What became of `wide`, in the shapes of `narrow` that it was made of; tensors that are still those of `wide` are those of `narrow`. */
export function narrowed(weights: Weights, wide: Weights, narrow: Weights): Weights {
  return new Map(
    [...weights].map(([name, value]) => {
      const before = narrow.get(name) ?? value;
      return [name, value === wide.get(name) ? before : corner(value, before.shape)];
    }),
  );
}

/** The values both shapes have, zeros elsewhere; the tensor itself where its shape is the one asked for. */
function corner(from: Tensor, shape: readonly number[]): Tensor {
  if (sizeOf(from.shape) === sizeOf(shape)) return from;
  const to = tensor(shape);
  const [width, length] = [from.shape, shape].map((of) => of.at(-1) as number);
  const rows = Math.min(from.data.length / width, to.data.length / length);
  for (let r = 0; r < rows; r++)
    to.data.set(from.data.subarray(r * width, r * width + Math.min(width, length)), r * length);
  return to;
}
