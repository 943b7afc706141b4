/** Convolution and pooling over images [N, C, H, W], padded with zeros alike on all sides. */
import type { Node } from "../node.ts";
import { defineOp, inputs } from "../op.ts";
import { expand, reduceSum } from "./broadcast.ts";
import { scale } from "./elementwise.ts";
import { gemm } from "./matmul.ts";
import { concat, pad, reshape, slice, transpose } from "./movement.ts";

type Steps = { stride: number; pad: number };

const positions = (size: number, kernel: number, { stride, pad }: Steps) =>
  Math.floor((size + 2 * pad - kernel) / stride) + 1;
const both = (n: number) => [n, n];
const lowered = ({ stride, pad }: Steps) => ({ strides: both(stride), pads: [...both(pad), ...both(pad)] });

const convOp = defineOp<Steps>("Conv", {
  shape: ([x, w], steps) => {
    if (x.length !== 4 || w.length !== 4 || x[1] !== w[1]) throw new Error(`cannot convolve [${x}] with [${w}]`);
    return [x[0], w[0], positions(x[2], w[2], steps), positions(x[3], w[3], steps)];
  },
  // y[o, i] = b[o] + sum of w[o, c, k] x[c, stride i + k - pad] over c and k, in both directions of the image
  grad: ({ x: [x, w, b], dy, attrs }) => [
    convTranspose(dy, w, x.shape, attrs),
    kernelGradient(x, dy, w.shape, attrs),
    ...(b === undefined ? [] : [reduceSum(dy, [0, 2, 3])]),
  ],
  onnx: (steps) => ({ attrs: lowered(steps) }),
  check: [
    { shapes: [[2, 3, 5, 4], [4, 3, 3, 3], [4]], attrs: { stride: 1, pad: 1 } },
    // the last row and column of the first are in no window
    ...[6, 7].map((size) => ({
      shapes: inputs([2, 3, size, size], [2, 3, 3, 3]),
      attrs: { stride: 2, pad: 1 },
    })),
    { shapes: inputs([2, 3, 4, 2], [5, 3, 1, 1]), attrs: { stride: 1, pad: 0 } },
  ],
});

/** Images [N, C, H, W] under kernels [O, C, h, w] and a bias [O]: [N, O, H', W']. */
export function conv(x: Node, w: Node, { stride = 1, pad = 0 }: Partial<Steps> = {}, b?: Node): Node {
  return convOp(b === undefined ? [x, w] : [x, w, b], { stride, pad });
}

type TransposeAttrs = Steps & { height: number; width: number };

const transposeOp = defineOp<TransposeAttrs>("ConvTranspose", {
  shape: ([y, w], { height, width }) => [y[0], w[1], height, width],
  grad: ({ x: [y, w], dy: dx, attrs }) => [conv(dx, w, attrs), kernelGradient(dx, y, w.shape, attrs)],
  onnx: ({ height, width, ...steps }, [y, w]) => {
    const beyond = (size: number, axis: number) => size + 2 * steps.pad - w[axis] - steps.stride * (y[axis] - 1);
    return { attrs: { ...lowered(steps), output_padding: [beyond(height, 2), beyond(width, 3)] } };
  },
  check: [
    { shapes: inputs([2, 4, 3, 2], [4, 3, 3, 3]), attrs: { stride: 1, pad: 1, height: 3, width: 2 } },
    { shapes: inputs([1, 2, 3, 3], [2, 3, 3, 3]), attrs: { stride: 2, pad: 1, height: 6, width: 5 } },
  ],
});

/** The adjoint of `conv` in its images: what y [N, O, H', W'] weighs in each value of images of this shape. */
const convTranspose = (y: Node, w: Node, [, , height, width]: readonly number[], { stride, pad }: Steps): Node =>
  transposeOp([y, w], { stride, pad, height, width });

/** dw[o, c, k] = sum of dy[o, i] x[c, stride i + k - pad] over images and i: a matrix product for each k. */
function kernelGradient(x: Node, dy: Node, shape: readonly number[], { stride, pad: border }: Steps): Node {
  const [outputs, channels, kernelHeight, kernelWidth] = shape;
  const [images, , height, width] = dy.shape;
  const places = images * height * width;
  const channelFirst = (images: Node) => transpose(images, [1, 0, 2, 3]);
  const after = border + stride - 1; // so that the last window, too, can be cut in whole strides
  const padded = pad(pad(channelFirst(x), 2, border, after), 3, border, after);
  const rows = reshape(channelFirst(dy), [outputs, places]);
  const taps: Node[] = [];
  for (let i = 0; i < kernelHeight; i++) {
    const lines = every(padded, 2, stride, i, height);
    for (let j = 0; j < kernelWidth; j++) {
      const seen = reshape(every(lines, 3, stride, j, width), [channels, places]);
      taps.push(reshape(gemm(rows, seen, { transB: true }), [1, outputs, channels]));
    }
  }
  return reshape(transpose(concat(taps, 0), [1, 2, 0]), shape);
}

/** `count` entries along an axis, from `start` in steps of `stride`. */
function every(x: Node, axis: number, stride: number, start: number, count: number): Node {
  const cut = slice(x, axis, start, start + count * stride);
  if (stride === 1) return cut;
  const [before, behind] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  const first = slice(reshape(cut, [...before, count, stride, ...behind]), axis + 1, 0, 1);
  return reshape(first, [...before, count, ...behind]);
}

const averagePoolOp = defineOp<{ size: number }>("AveragePool", {
  shape: ([x], { size }) => {
    const [n, c, h, w] = x;
    if (h % size !== 0 || w % size !== 0) throw new Error(`[${x}] cannot be pooled by ${size}`);
    return [n, c, h / size, w / size];
  },
  // each of a window's values gets its share
  grad: ({ x: [x], y, dy, attrs: { size } }) => {
    const [n, c, h, w] = y.shape;
    const copies = expand(reshape(dy, [n, c, h, 1, w, 1]), [n, c, h, size, w, size]);
    return [scale(reshape(copies, x.shape), 1 / size ** 2)];
  },
  onnx: ({ size }) => ({ attrs: { kernel_shape: both(size), strides: both(size) } }),
  check: [{ shapes: [[2, 3, 4, 6]], attrs: { size: 2 } }],
});
/** Means of windows of `size` x `size` that do not overlap. */
export const averagePool = (x: Node, size: number): Node => averagePoolOp([x], { size });
