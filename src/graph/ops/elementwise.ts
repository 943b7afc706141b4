/** Elementwise ops. Binary ones broadcast as NumPy does; their gradients are summed back to each input's shape. */
import { type Node, scalar } from "../node.ts";
import { defineOp, type GradContext, inputs, type Lowering, type Sample } from "../op.ts";
import { broadcast, unbroadcast } from "./broadcast.ts";

type None = Record<string, never>;

const pairs: Sample<None>[] = [
  { shapes: inputs([2, 3], [2, 3]) },
  { shapes: inputs([4, 2, 3], [2, 1]) },
  { shapes: [[3], [4, 2, 1]] },
  { shapes: [[], [2, 3]] },
];

function binary(
  name: string,
  grad: (a: Node, b: Node, dy: Node, y: Node) => [Node, Node],
  range?: readonly [number, number],
): (a: Node, b: Node) => Node {
  const op = defineOp<None>(name, {
    shape: broadcast,
    grad: ({ x: [a, b], dy, y }) => {
      const [da, db] = grad(a, b, dy, y);
      return [unbroadcast(da, a.shape), unbroadcast(db, b.shape)];
    },
    onnx: () => ({}),
    check: pairs.map((sample) => ({ ...sample, range })),
  });
  return (a, b) => op([a, b], {});
}

function unary(
  name: string,
  grad: (context: GradContext<None>) => Node | undefined,
  range?: readonly [number, number],
  lowering: Lowering<None> = { onnx: () => ({}) },
): (x: Node) => Node {
  const op = defineOp<None>(name, {
    shape: ([x]) => x,
    grad: (context) => [grad(context)],
    ...lowering,
    check: [{ shapes: [[2, 5]], range }],
  });
  return (x) => op([x], {});
}

export const add = binary("Add", (_a, _b, dy) => [dy, dy]);
export const sub = binary("Sub", (_a, _b, dy) => [dy, neg(dy)]);
export const mul = binary("Mul", (a, b, dy) => [mul(dy, b), mul(dy, a)]);
// d(a/b) = da/b - y db/b
export const div = binary("Div", (_a, b, dy, y) => [div(dy, b), neg(div(mul(dy, y), b))], [0.5, 2]);

export const neg = unary("Neg", ({ dy }) => neg(dy));
export const exp = unary("Exp", ({ dy, y }) => mul(dy, y));
export const log = unary("Log", ({ dy, x }) => div(dy, x[0]), [0.2, 3]);
// y = x^(1/2): dx = dy / (2 y)
export const sqrt = unary("Sqrt", ({ dy, y }) => div(mul(dy, scalar(0.5)), y), [0.2, 3]);
// y = 1/(1+e^-x): dx = dy y (1 - y)
export const sigmoid = unary("Sigmoid", ({ dy, y }) => mul(dy, mul(y, sub(scalar(1), y))), [-3, 3]);
// y = tanh x: dx = dy (1 - y^2)
export const tanh = unary("Tanh", ({ dy, y }) => mul(dy, sub(scalar(1), mul(y, y))), [-2, 2]);
// y = log(1 + e^x): dx = dy / (1 + e^-x)
export const softplus = unary("Softplus", ({ dy, x: [x] }) => mul(dy, sigmoid(x)), [-3, 3]);
// y = erf x: dx = dy 2/sqrt(pi) e^(-x^2)
export const erf = unary(
  "Erf",
  ({ dy, x: [x] }) => mul(dy, mul(scalar(2 / Math.sqrt(Math.PI)), exp(neg(mul(x, x))))),
  [-2, 2],
);
/** -1, 0 or 1; its gradient is zero. */
export const sign = unary("Sign", () => undefined);
// dx = dy sign(x)
export const abs = unary("Abs", ({ dy, x }) => mul(dy, sign(x[0])));
// y = max(x, 0), so sign(y) is 1 where x > 0 and else 0
export const relu = unary("Relu", ({ dy, y }) => mul(dy, sign(y)));
// y = x s with s = 1/(1+e^-x): dx = dy s (1 + x - y), four passes where the product rule would take seven
export const silu = unary("Silu", ({ x: [x], y, dy }) => mul(dy, mul(sigmoid(x), add(sub(x, y), scalar(1)))), [-3, 3], {
  expand: ([x]) => mul(x, sigmoid(x)),
});

const clipOp = defineOp<{ min: number; max: number }>("Clip", {
  shape: ([x]) => x,
  // where x was clipped x - y is not 0: mask = 1 - |sign(x - y)|
  grad: ({ x: [x], y, dy }) => [mul(dy, sub(scalar(1), abs(sign(sub(x, y)))))],
  onnx: ({ min, max }) => ({ attrs: {}, floats: [min, max] }),
  check: [{ shapes: [[3, 7]], attrs: { min: -0.4, max: 0.5 } }],
});
/** Clamp to [min, max]; the gradient is 1 inside and on the border, else 0. */
export const clip = (x: Node, min: number, max: number): Node => clipOp([x], { min, max });

/** x times a number. */
export const scale = (x: Node, by: number): Node => (by === 1 ? x : mul(x, scalar(by)));
