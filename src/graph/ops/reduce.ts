/** Means over axes; softmax and the like, which reduce over the last one. */
import { type Node, scalar } from "../node.ts";
import { defineOp } from "../op.ts";
import { copied, expand, kept, reduceSum, reduction } from "./broadcast.ts";
import { exp, mul, scale, sub } from "./elementwise.ts";
import { reshape } from "./movement.ts";

export const reduceMean = reduction("ReduceMean", (x, dy, axes) =>
  scale(copied(dy, x, axes), 1 / axes.reduce((n, axis) => n * x.shape[axis], 1)),
);
export const reduceSumSquare = reduction("ReduceSumSquare", (x, dy, axes) =>
  mul(scale(x, 2), reshape(dy, kept(x.shape, axes))),
);

const softmaxOp = defineOp<Record<string, never>>("Softmax", {
  shape: ([x]) => x,
  // dx = y (dy - sum(dy y))
  grad: ({ y, dy }) => [mul(y, sub(dy, reduceSum(mul(dy, y), [-1], true)))],
  onnx: () => ({ attrs: { axis: -1 } }),
  check: [{ shapes: [[2, 3, 5]] }],
});
/** e^x / sum(e^x) over the last axis. */
export const softmax = (x: Node): Node => softmaxOp([x], {});

const logSoftmaxOp = defineOp<Record<string, never>>("LogSoftmax", {
  shape: ([x]) => x,
  // dx = dy - softmax(x) sum(dy)
  grad: ({ y, dy }) => [sub(dy, mul(exp(y), reduceSum(dy, [-1], true)))],
  onnx: () => ({ attrs: { axis: -1 } }),
  check: [{ shapes: [[3, 5]] }],
});
/** x - log(sum(e^x)) over the last axis. */
export const logSoftmax = (x: Node): Node => logSoftmaxOp([x], {});

// d mean(x) = mean(dx) and, with h = (x - mean) r, d r = -r^2 mean(h dx)
const normMean = defineOp<{ eps: number }>("LayerNormMean", {
  shape: ([x]) => [...x.slice(0, -1), 1],
  grad: ({ x: [x], dy }) => [scale(expand(dy, x.shape), 1 / (x.shape.at(-1) as number))],
  onnx: ({ eps }) => ({ type: "LayerNormalization", attrs: { axis: -1, epsilon: eps }, slot: 1 }),
  check: [{ shapes: [[3, 6]], attrs: { eps: 1e-5 } }],
});
const normInvStdDev = defineOp<{ eps: number }>("LayerNormInvStdDev", {
  shape: ([x]) => [...x.slice(0, -1), 1],
  grad: ({ x: [x], y: r, dy, attrs: { eps } }) => {
    const h = mul(sub(x, normMean([x], { eps })), r);
    return [scale(mul(mul(dy, mul(r, r)), h), -1 / (x.shape.at(-1) as number))];
  },
  onnx: ({ eps }) => ({ type: "LayerNormalization", attrs: { axis: -1, epsilon: eps }, slot: 2 }),
  check: [{ shapes: [[3, 6]], attrs: { eps: 1e-5 } }],
});
const layerNormOp = defineOp<{ eps: number }>("LayerNormalization", {
  shape: ([x]) => x,
  // y = h w + b, h = (x - mean) r;  dx = r (g - mean(g) - h mean(g h)) with g = dy w;  dw = sum(dy h);  db = sum(dy)
  grad: ({ x: [x, w, b], dy, attrs: { eps } }) => {
    const r = normInvStdDev([x], { eps });
    const h = mul(sub(x, normMean([x], { eps })), r);
    const g = mul(dy, w);
    const inner = sub(g, mul(h, reduceMeanOfProduct(g, h)));
    const rows = x.shape.slice(0, -1).map((_, i) => i);
    return [
      mul(sub(inner, reduceMean(g, [-1], true)), r),
      reshape(reduceSum(mul(dy, h), rows), w.shape),
      reshape(reduceSum(dy, rows), b.shape),
    ];
  },
  onnx: ({ eps }) => ({ type: "LayerNormalization", attrs: { axis: -1, epsilon: eps }, slot: 0 }),
  check: [
    { shapes: [[3, 6], [6], [6]], attrs: { eps: 1e-5 } },
    { shapes: [[2, 2, 4], [4], [4]], attrs: { eps: 1e-5 } },
  ],
});
const reduceMeanOfProduct = (a: Node, b: Node) =>
  mul(reduceSum(mul(a, b), [-1], true), scalar(1 / (a.shape.at(-1) as number)));

/** Layer normalisation over the last axis: (x - mean) / sqrt(var + eps) * w + b, biased variance. */
export const layerNorm = (x: Node, w: Node, b: Node, eps = 1e-5): Node => layerNormOp([x, w, b], { eps });
