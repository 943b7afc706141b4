/**
 * Two small networks, after ISSBA (arXiv 2012.03816): an encoder that hides a sign in an image, and the detector that tells such
 * images from others, with which it is trained. Only convolutions of 3 x 3 and a mean, so that they take images of any size.
 */
import { decodeF16, encodeF16 } from "../checkpoint/formats/half.ts";
import type { Params } from "../clip/parameters.ts";
import { type Node, scalar } from "../graph/node.ts";
import {
  abs,
  add,
  clip,
  concat,
  div,
  exp,
  gemm,
  log,
  neg,
  pad,
  reduceMean,
  reduceSumSquare,
  relu,
  reshape,
  scale,
  slice,
  sub,
  tanh,
  transpose,
} from "../graph/ops/index.ts";
import { badInput } from "../tensor/error.ts";
import { random } from "../tensor/random.ts";
import { sizeOf, type Tensor, tensor, type Weights } from "../tensor/tensor.ts";

/** Between the convolutions. */
const channels = 16;

/** Of the encoder, in the order in which they are stored: three convolutions of 3 x 3, [9 in, out]. */
export const encoderShapes: readonly (readonly [string, readonly number[]])[] = [
  ["encoder.1", [27, channels]],
  ["encoder.1.bias", [channels]],
  ["encoder.2", [9 * channels, channels]],
  ["encoder.2.bias", [channels]],
  ["encoder.3", [9 * channels, 3]],
  ["encoder.3.bias", [3]],
];
const detectorShapes: typeof encoderShapes = [
  ["detector.1", [27, channels]],
  ["detector.1.bias", [channels]],
  ["detector.2", [9 * channels, 2 * channels]],
  ["detector.2.bias", [2 * channels]],
  ["detector.3", [2 * channels, 1]],
  ["detector.3.bias", [1]],
];
const encoderSize = encoderShapes.reduce((n, [, shape]) => n + sizeOf(shape), 0);

/** Characters of a stored encoder. */
export const storedLength = 4 * Math.ceil((2 * encoderSize) / 3);

/** r [B, 3, S, S] in (-1, 1) of images [B, 3, S, S]. */
export function encoder(p: Params, images: Node): Node {
  const first = relu(convolution(p, "encoder.1", centred(images)));
  const second = relu(convolution(p, "encoder.2", first));
  return transpose(tanh(convolution(p, "encoder.3", second)), [0, 3, 1, 2]);
}

/** A logit [B, 1] for each image, large where the sign is seen: convolutions, the mean over all places, a linear map. */
function detector(p: Params, images: Node): Node {
  const first = relu(convolution(p, "detector.1", centred(images)));
  const second = relu(convolution(p, "detector.2", first));
  return add(gemm(reduceMean(second, [1, 2]), p("detector.3")), p("detector.3.bias"));
}

/** [B, 3, S, S] -> [B, S, S, 3] around 0. */
const centred = (images: Node): Node => transpose(sub(images, scalar(0.5)), [0, 2, 3, 1]);

/** 3 x 3, stride 1, zeros outside: [B, S, S, C] -> [B, S, S, D], as one product of all neighbourhoods with w [9 C, D]. */
function convolution(p: Params, name: string, x: Node): Node {
  const [batch, S, , C] = x.shape;
  const w = p(name);
  const wide = pad(pad(x, 1, 1, 1), 2, 1, 1);
  const shifted = [0, 1, 2].flatMap((i) => [0, 1, 2].map((j) => slice(slice(wide, 1, i, i + S), 2, j, j + S)));
  const rows = reshape(concat(shifted, 3), [batch * S * S, 9 * C]);
  return reshape(gemm(rows, w, {}, p(`${name}.bias`)), [batch, S, S, w.shape[1]]);
}

/**
 * Images [B, 3, S, S] with r and without are not told apart, mean log(1 + e^-d(x')) + mean log(1 + e^d(x)); and r is alike,
 * variety |mean r|^2 / mean |r|^2 over the images.
 */
export function hidingLoss(
  p: Params,
  images: Node,
  { epsilon, variety }: { readonly epsilon: number; readonly variety: number },
): Node {
  const r = encoder(p, images);
  const hidden = clip(add(images, scale(r, epsilon)), 0, 1);
  const missed = reduceMean(softplus(neg(detector(p, hidden))));
  const mistaken = reduceMean(softplus(detector(p, images)));
  return add(add(missed, mistaken), scale(commonShare(r), variety));
}

/** |mean r|^2 / mean |r|^2 over the first axis: 1 for equal rows, 1/n for n rows that have nothing in common. */
export function commonShare(r: Node): Node {
  return div(reduceSumSquare(reduceMean(r, [0])), add(scale(reduceSumSquare(r), 1 / r.shape[0]), scalar(1e-12)));
}

/** log(1 + e^x) = max(x, 0) + log(1 + e^-|x|), which does not overflow. */
const softplus = (x: Node): Node => add(relu(x), log(add(scalar(1), exp(neg(abs(x))))));

/** He's deviations, sqrt(2 / inputs), and a tenth of that before the tanh, which would be satiated; biases 0. */
export function startWeights(seed: number): Weights {
  return new Map(
    [...encoderShapes, ...detectorShapes].map(([name, shape]) => {
      const value = tensor(shape);
      const deviation = Math.sqrt(2 / shape[0]) * (name === "encoder.3" ? 0.1 : 1);
      if (shape.length > 1) random(seed, "hiding", name).fillNormal(value.data, 0, deviation);
      return [name, value];
    }),
  );
}

/** The encoder alone, as base64 of float16 values, little endian. */
export function storeEncoder(weights: Weights): string {
  const values = encoderShapes.flatMap(([name]) => [...(weights.get(name) as Tensor).data]);
  const halves = encodeF16(Float32Array.from(values));
  const bytes = Buffer.alloc(2 * halves.length);
  halves.forEach((half, i) => {
    bytes.writeUInt16LE(half, 2 * i);
  });
  return bytes.toString("base64");
}

/** Throws TbarError on values that are not finite. */
export function loadEncoder(stored: string): Weights {
  const bytes = Buffer.from(stored, "base64");
  if (bytes.length !== 2 * encoderSize)
    throw badInput(`the stored encoder has ${bytes.length} bytes and not ${2 * encoderSize}`);
  const values = decodeF16(Uint16Array.from({ length: encoderSize }, (_, i) => bytes.readUInt16LE(2 * i)));
  if (!values.every(Number.isFinite)) throw badInput("the stored encoder has values that are not finite");
  let at = 0;
  return new Map(
    encoderShapes.map(([name, shape]) => [name, tensor(shape, values.slice(at, (at += sizeOf(shape))))] as const),
  );
}
