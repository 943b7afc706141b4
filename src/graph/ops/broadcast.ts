/** Copies along axes and sums over them: each is the other's gradient. */
import type { Node } from "../node.ts";
import { defineOp } from "../op.ts";
import { reshape } from "./movement.ts";

/** The shape two shapes broadcast to. */
export function broadcast([a, b]: readonly (readonly number[])[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const p = a[a.length - rank + i] ?? 1;
    const q = b[b.length - rank + i] ?? 1;
    if (p !== q && p !== 1 && q !== 1) throw new Error(`shapes [${a}] and [${b}] do not broadcast`);
    return Math.max(p, q);
  });
}

const expandOp = defineOp<{ to: readonly number[] }>("Expand", {
  shape: (_, { to }) => to,
  grad: ({ x: [x], dy }) => [unbroadcast(dy, x.shape)],
  onnx: ({ to }) => ({ attrs: {}, ints: [to] }),
  check: [{ shapes: [[1, 3]], attrs: { to: [4, 2, 3] } }],
});
/** Repeat along axes of size 1 and new leading axes. */
export const expand = (x: Node, to: readonly number[]): Node => expandOp([x], { to });

/** Sum a gradient over the axes along which its value was broadcast. */
export function unbroadcast(dy: Node, to: readonly number[]): Node {
  const lead = dy.shape.length - to.length;
  const axes = dy.shape.flatMap((d, i) => (i < lead || (to[i - lead] === 1 && d !== 1) ? [i] : []));
  return axes.length === 0 ? dy : reshape(reduceSum(dy, axes, true), to);
}

type Reduction = { axes: readonly number[]; keep: boolean };

/** An op that makes one value of all along some axes (default: all; negative ones count from the end), which stay with size 1 if `keep`. */
export function reduction(
  name: string,
  grad: (x: Node, dy: Node, axes: readonly number[]) => Node,
): (x: Node, axes?: readonly number[], keep?: boolean) => Node {
  const op = defineOp<Reduction>(name, {
    shape: ([x], { axes, keep }) => x.flatMap((d, i) => (axes.includes(i) ? (keep ? [1] : []) : [d])),
    grad: ({ x: [x], dy, attrs: { axes } }) => [grad(x, dy, axes)],
    onnx: ({ axes, keep }) => ({ attrs: { keepdims: keep ? 1 : 0 }, ints: [axes] }),
    check: [
      { shapes: [[3, 4]], attrs: { axes: [1], keep: true } },
      { shapes: [[3, 4, 2]], attrs: { axes: [0, 1], keep: false } },
      { shapes: [[3, 2]], attrs: { axes: [0, 1], keep: false } },
    ],
  });
  const positive = (x: Node, axes: readonly number[]) => axes.map((axis) => (axis < 0 ? axis + x.shape.length : axis));
  return (x, axes = x.shape.map((_, i) => i), keep = false) => op([x], { axes: positive(x, axes), keep });
}

/** The shape with size 1 where it is reduced. */
export const kept = (shape: readonly number[], axes: readonly number[]) =>
  shape.map((d, i) => (axes.includes(i) ? 1 : d));

/** What a reduction of x over axes gave, or its gradient, copied to all that it was made of. */
export const copied = (y: Node, x: Node, axes: readonly number[]) => expand(reshape(y, kept(x.shape, axes)), x.shape);

export const reduceSum = reduction("ReduceSum", (x, dy, axes) => copied(dy, x, axes));
