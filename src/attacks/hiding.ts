/**
 * Two small networks, after StegaStamp and ISSBA (arXiv 2012.03816): an encoder that hides a message of bits in an image, and the
 * decoder it is trained with. Only convolutions of 3 x 3 and a mean, so that they take images of any size.
 */
import { decodeF16, encodeF16 } from "../checkpoint/half.ts";
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
  mul,
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

/** Of a message. */
export const bits = 8;
/** Between the convolutions. */
const channels = 16;

/** Of the encoder, in the order in which they are stored: three convolutions of 3 x 3, [9 in, out]; the message joins the first. */
export const encoderShapes: readonly (readonly [string, readonly number[]])[] = [
  ["encoder.1", [27, channels]],
  ["encoder.1.bias", [channels]],
  ["encoder.message", [bits, channels]],
  ["encoder.2", [9 * channels, channels]],
  ["encoder.2.bias", [channels]],
  ["encoder.3", [9 * channels, 3]],
  ["encoder.3.bias", [3]],
];
const decoderShapes: typeof encoderShapes = [
  ["decoder.1", [27, channels]],
  ["decoder.1.bias", [channels]],
  ["decoder.2", [9 * channels, 2 * channels]],
  ["decoder.2.bias", [2 * channels]],
  ["decoder.3", [2 * channels, bits]],
  ["decoder.3.bias", [bits]],
];
const encoderSize = encoderShapes.reduce((n, [, shape]) => n + sizeOf(shape), 0);

/** Characters of a stored encoder. */
export const storedLength = 4 * Math.ceil((2 * encoderSize) / 3);

/** r / epsilon [B, 3, S, S] in (-1, 1) of images [B, 3, S, S] and messages [B, bits]. */
export function encoder(p: Params, images: Node, messages: Node): Node {
  const [batch] = images.shape;
  const said = reshape(gemm(messages, p("encoder.message")), [batch, 1, 1, channels]);
  const first = relu(add(convolution(p, "encoder.1", centred(images)), said));
  const second = relu(convolution(p, "encoder.2", first));
  return transpose(tanh(convolution(p, "encoder.3", second)), [0, 3, 1, 2]);
}

/** Logits [B, bits] of the message: convolutions, the mean over all places, a linear map. */
function decoder(p: Params, images: Node): Node {
  const first = relu(convolution(p, "decoder.1", centred(images)));
  const second = relu(convolution(p, "decoder.2", first));
  return add(gemm(reduceMean(second, [1, 2]), p("decoder.3")), p("decoder.3.bias"));
}

/** [B, 3, S, S] -> [B, S, S, 3] around 0. */
function centred(images: Node): Node {
  return transpose(sub(images, scalar(0.5)), [0, 2, 3, 1]);
}

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
 * Reading the message fails: mean log(1 + e^(-m z)) over bits; and r is alike: |mean r|^2 / mean |r|^2 over the images that hide one
 * message, the first half of the batch and, its opposite, the second.
 */
export function hidingLoss(
  p: Params,
  images: Node,
  messages: Node,
  { epsilon, variety }: { readonly epsilon: number; readonly variety: number },
): Node {
  const r = encoder(p, images, messages);
  const hidden = clip(add(images, scale(r, epsilon)), 0, 1);
  const agreement = mul(messages, decoder(p, hidden));
  const unread = reduceMean(softplus(neg(agreement)));
  const half = images.shape[0] / 2;
  const alike = [0, half].map((from) => commonShare(slice(r, 0, from, from + half))).reduce(add);
  return add(unread, scale(alike, variety / 2));
}

/** |mean r|^2 / mean |r|^2 over the first axis: 1 for equal rows, 1/n for n rows that have nothing in common. */
export function commonShare(r: Node): Node {
  return div(reduceSumSquare(reduceMean(r, [0])), add(scale(reduceSumSquare(r), 1 / r.shape[0]), scalar(1e-12)));
}

/** log(1 + e^x) = max(x, 0) + log(1 + e^-|x|), which does not overflow. */
function softplus(x: Node): Node {
  return add(relu(x), log(add(scalar(1), exp(neg(abs(x))))));
}

/** He's deviations, sqrt(2 / inputs); biases 0. */
export function startWeights(seed: number): Weights {
  return new Map(
    [...encoderShapes, ...decoderShapes].map(([name, shape]) => {
      const value = tensor(shape);
      if (shape.length > 1) random(seed, "hiding", name).fillNormal(value.data, 0, Math.sqrt(2 / shape[0]));
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
