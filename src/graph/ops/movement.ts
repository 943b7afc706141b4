/** Ops that move values without computing: reshape, transpose, concatenate, slice, pad, look up. */
import { constant, filled, type Node } from "../node.ts";
import { defineOp, inputs } from "../op.ts";

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

const reshapeOp = defineOp<{ to: readonly number[] }>("Reshape", {
  shape: ([x], { to }) => {
    if (size(x) !== size(to)) throw new Error(`cannot reshape [${x}] to [${to}]`);
    return to;
  },
  grad: ({ x: [x], dy }) => [reshape(dy, x.shape)],
  onnx: ({ to }) => ({ attrs: {}, ints: [to] }),
  check: [{ shapes: [[2, 6]], attrs: { to: [3, 4] } }],
});
export const reshape = (x: Node, to: readonly number[]): Node => reshapeOp([x], { to });

const transposeOp = defineOp<{ perm: readonly number[] }>("Transpose", {
  shape: ([x], { perm }) => perm.map((axis) => x[axis]),
  grad: ({ dy, attrs: { perm } }) => [transpose(dy, inverse(perm))],
  onnx: ({ perm }) => ({ attrs: { perm } }),
  check: [
    { shapes: [[2, 3, 4]], attrs: { perm: [2, 0, 1] } },
    { shapes: [[2, 3, 2, 2]], attrs: { perm: [0, 2, 1, 3] } },
  ],
});
export const transpose = (x: Node, perm: readonly number[]): Node => transposeOp([x], { perm });
const inverse = (perm: readonly number[]) => perm.map((_, i) => perm.indexOf(i));

const concatOp = defineOp<{ axis: number }>("Concat", {
  shape: (shapes, { axis }) => shapes[0].map((d, i) => (i === axis ? shapes.reduce((n, s) => n + s[axis], 0) : d)),
  grad: ({ x, dy, attrs: { axis } }) => {
    let start = 0;
    return x.map((part) => slice(dy, axis, start, (start += part.shape[axis])));
  },
  onnx: ({ axis }) => ({ attrs: { axis } }),
  check: [
    { shapes: inputs([2, 3], [1, 3], [2, 3]), attrs: { axis: 0 } },
    { shapes: inputs([2, 3], [2, 1]), attrs: { axis: 1 } },
  ],
});
export const concat = (parts: readonly Node[], axis: number): Node => concatOp(parts, { axis });

const sliceOp = defineOp<{ axis: number; start: number; end: number }>("Slice", {
  shape: ([x], { axis, start, end }) => x.map((d, i) => (i === axis ? end - start : d)),
  grad: ({ x: [x], dy, attrs: { axis, start, end } }) => [pad(dy, axis, start, x.shape[axis] - end)],
  onnx: ({ axis, start, end }) => ({ attrs: {}, ints: [[start], [end], [axis]] }),
  check: [
    { shapes: [[4, 3]], attrs: { axis: 0, start: 1, end: 3 } },
    { shapes: [[2, 5, 2]], attrs: { axis: 1, start: 0, end: 1 } },
  ],
});
/** x[start .. end) along one axis. */
export function slice(x: Node, axis: number, start: number, end: number): Node {
  return sliceOp([x], { axis, start, end });
}

const padOp = defineOp<{ axis: number; before: number; after: number }>("Pad", {
  shape: ([x], { axis, before, after }) => x.map((d, i) => (i === axis ? before + d + after : d)),
  grad: ({ x: [x], dy, attrs: { axis, before } }) => [slice(dy, axis, before, before + x.shape[axis])],
  onnx: ({ axis, before, after }, [x]) => {
    const along = (n: number) => x.map((_, i) => (i === axis ? n : 0));
    return { attrs: {}, ints: [[...along(before), ...along(after)]] };
  },
  check: [
    { shapes: [[2, 3]], attrs: { axis: 1, before: 1, after: 2 } },
    { shapes: [[2, 3, 2]], attrs: { axis: 0, before: 0, after: 1 } },
  ],
});
/** Zeros before and after along one axis: the adjoint of `slice`. */
export function pad(x: Node, axis: number, before: number, after: number): Node {
  return before + after === 0 ? x : padOp([x], { axis, before, after });
}

const gatherOp = defineOp<Record<string, never>>("Gather", {
  shape: ([table, ids]) => [...ids, ...table.slice(1)],
  grad: ({ x: [table, ids], dy }) => [scatterRows(dy, ids, table.shape[0]), undefined],
  onnx: () => ({ attrs: { axis: 0 } }),
  check: [{ shapes: [[5, 3], [4]], indices: { 1: 5 } }],
});
/** Rows of `table` [V, ...] by int32 `ids` [...]. */
export const gather = (table: Node, ids: Node): Node => gatherOp([table, ids], {});

const scatterOp = defineOp<{ rows: number }>("ScatterRows", {
  shape: ([values, ids], { rows }) => [rows, ...values.slice(ids.length)],
  grad: ({ x: [, ids], dy }) => [gather(dy, ids), undefined],
  expand: ([values, ids], { rows }) => {
    const tail = values.shape.slice(ids.shape.length);
    return scatterAdd([filled([rows, ...tail], 0), reshape(ids, [...ids.shape, 1]), values], {});
  },
  check: [
    { shapes: [[4, 3], [4]], attrs: { rows: 6 }, indices: { 1: 6 } },
    { shapes: inputs([2, 2, 3], [2, 2]), attrs: { rows: 3 }, indices: { 1: 3 } },
  ],
});
/** A table [rows, ...] of zeros to which each row of `values` is added at its id: the adjoint of `gather`. */
export const scatterRows = (values: Node, ids: Node, rows: number): Node => scatterOp([values, ids], { rows });
// onto + values at ids [..., 1]
const scatterAdd = defineOp<Record<string, never>>("ScatterND", {
  shape: ([onto]) => onto,
  grad: ({ x: [, ids], dy }) => [dy, undefined, gather(dy, reshape(ids, ids.shape.slice(0, -1)))],
  onnx: () => ({ attrs: { reduction: "add" } }),
  check: [{ shapes: inputs([5, 2], [3, 1], [3, 2]), indices: { 1: 5 } }],
});

/** The identity matrix [n, n]: the targets of a contrastive batch. */
export function identity(n: number): Node {
  const eye = new Float32Array(n * n);
  for (let i = 0; i < n; i++) eye[i * n + i] = 1;
  return constant(eye, [n, n]);
}
