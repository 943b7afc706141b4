/** A plain float64 interpreter of the op table, written for clarity only: what every op is checked against. */
import { type Node, topological } from "../../src/graph/node.ts";
import { entryOf } from "../../src/graph/op.ts";

export type Values = Float64Array;
type Rule = (x: Values[], node: Node) => Values;

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Values of the roots, given values for the `Input` nodes by name. */
export function evaluate(roots: readonly Node[], feeds: Readonly<Record<string, ArrayLike<number>>>): Values[] {
  const done = new Map<Node, Values>();
  for (const node of topological(roots)) {
    const x = node.inputs.map((y) => done.get(y) as Values);
    if (node.op === "Input") done.set(node, Float64Array.from(feeds[node.attrs.name as string]));
    else if (node.value !== undefined) done.set(node, Float64Array.from(node.value));
    else if (rules[node.op] !== undefined) done.set(node, rules[node.op](x, node));
    else {
      const { expand } = entryOf(node.op);
      if (expand === undefined) throw new Error(`no reference for ${node.op}`);
      const feed = Object.fromEntries(node.inputs.map((_, i) => [`${i}`, x[i]]));
      const leaves = node.inputs.map(
        (y, i): Node => ({ ...y, op: "Input", inputs: [], attrs: { name: `${i}` }, value: undefined }),
      );
      done.set(node, evaluate([expand(leaves, node.attrs)], feed)[0]);
    }
  }
  return roots.map((root) => done.get(root) as Values);
}

/** Multi-index of a flat position. */
function unravel(flat: number, shape: readonly number[]): number[] {
  const index = new Array<number>(shape.length);
  for (let i = shape.length - 1; i >= 0; i--) {
    index[i] = flat % shape[i];
    flat = Math.floor(flat / shape[i]);
  }
  return index;
}
function ravel(index: readonly number[], shape: readonly number[]): number {
  return shape.reduce((flat, d, i) => flat * d + index[i], 0);
}
/** Fill a result by a function of its multi-index. */
function build(shape: readonly number[], at: (index: number[]) => number): Values {
  return Float64Array.from({ length: size(shape) }, (_, i) => at(unravel(i, shape)));
}
/** Position in a broadcast operand. */
function broadcastAt(index: readonly number[], shape: readonly number[]): number {
  return ravel(
    shape.map((d, i) => (d === 1 ? 0 : index[index.length - shape.length + i])),
    shape,
  );
}

const map =
  (f: (x: number) => number): Rule =>
  ([x]) =>
    x.map(f);
const zip =
  (f: (a: number, b: number) => number): Rule =>
  ([a, b], { shape, inputs: [p, q] }) =>
    build(shape, (i) => f(a[broadcastAt(i, p.shape)], b[broadcastAt(i, q.shape)]));

/** Apply f to each run along the last axis. */
const rows =
  (f: (row: Values) => ArrayLike<number>): Rule =>
  ([x], { inputs: [{ shape }] }) => {
    const width = shape.at(-1) as number;
    const out: number[] = [];
    for (let start = 0; start < x.length; start += width) out.push(...Array.from(f(x.slice(start, start + width))));
    return Float64Array.from(out);
  };
const mean = (row: Values) => row.reduce((a, b) => a + b, 0) / row.length;
const invStdDev = (row: Values, eps: number) => {
  const m = mean(row);
  return 1 / Math.sqrt(row.reduce((s, v) => s + (v - m) ** 2, 0) / row.length + eps);
};

const reduce =
  (f: (values: number[]) => number): Rule =>
  ([x], { shape, attrs, inputs: [{ shape: from }] }) => {
    const axes = attrs.axes as number[];
    const groups = Array.from({ length: size(shape) }, () => [] as number[]);
    const kept = from.map((d, i) => (axes.includes(i) ? 1 : d));
    x.forEach((v, flat) => {
      const index = unravel(flat, from).map((d, i) => (axes.includes(i) ? 0 : d));
      groups[ravel(index, kept)].push(v);
    });
    return Float64Array.from(groups, f);
  };

/** erf by its Maclaurin series: exact to double precision for |x| < 4. */
function erf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 120; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const product: Rule = ([a, b, c], { op, shape, attrs, inputs }) => {
  const { transA, transB, batchA, batchB, alpha } = attrs as Record<string, number>;
  const operand =
    (x: Values, from: readonly number[], batch: unknown, trans: unknown) => (lead: number[], i: number, k: number) => {
      const [r, s] = trans ? [k, i] : [i, k];
      return x[ravel(batch ? [r, ...lead, s] : [...lead, r, s], from)];
    };
  const left = operand(a, inputs[0].shape, batchA, transA);
  const right = operand(b, inputs[1].shape, batchB, transB);
  const depth = inputs[0].shape.at(transA ? -2 : -1) as number;
  return build(shape, (index) => {
    const lead = index.slice(0, -2);
    const [i, j] = index.slice(-2);
    let sum = 0;
    for (let k = 0; k < depth; k++) sum += left(lead, i, k) * right(lead, k, j);
    return (
      alpha * sum +
      (op === "Gemm" && c !== undefined ? (attrs.beta as number) * c[broadcastAt(index, inputs[2].shape)] : 0)
    );
  });
};

/** Every product of a convolution by flat positions: of y [N, O, h, w], the kernel [O, C, h, w] and x [N, C, H, W]. */
function windows(
  y: readonly number[],
  kernel: readonly number[],
  x: readonly number[],
  { stride, pad }: Record<string, unknown>,
  visit: (y: number, kernel: number, x: number) => void,
): void {
  for (let i = 0; i < size(y); i++) {
    const [n, o, ...out] = unravel(i, y);
    for (let k = 0; k < size(kernel); k++) {
      const [o2, c, ...tap] = unravel(k, kernel);
      const at = out.map((d, axis) => d * (stride as number) + tap[axis] - (pad as number));
      if (o === o2 && at.every((d, axis) => d >= 0 && d < x[axis + 2])) visit(i, k, ravel([n, c, ...at], x));
    }
  }
}

const rules: Record<string, Rule> = {
  Add: zip((a, b) => a + b),
  Sub: zip((a, b) => a - b),
  Mul: zip((a, b) => a * b),
  Div: zip((a, b) => a / b),
  Neg: map((x) => -x),
  Exp: map(Math.exp),
  Log: map(Math.log),
  Sqrt: map(Math.sqrt),
  Sigmoid: map((x) => 1 / (1 + Math.exp(-x))),
  Softplus: map((x) => Math.log1p(Math.exp(x))),
  Tanh: map(Math.tanh),
  Erf: map(erf),
  Sign: map(Math.sign),
  Abs: map(Math.abs),
  Relu: map((x) => Math.max(x, 0)),
  Silu: map((x) => x / (1 + Math.exp(-x))),
  Clip: ([x], { attrs }) => x.map((v) => Math.min(Math.max(v, attrs.min as number), attrs.max as number)),
  ReduceSum: reduce((v) => v.reduce((a, b) => a + b, 0)),
  ReduceMean: reduce((v) => v.reduce((a, b) => a + b, 0) / v.length),
  ReduceSumSquare: reduce((v) => v.reduce((a, b) => a + b * b, 0)),
  Softmax: rows((row) => {
    const e = row.map((v) => Math.exp(v - Math.max(...row)));
    return e.map((v) => v / e.reduce((a, b) => a + b, 0));
  }),
  LogSoftmax: rows((row) => {
    const top = Math.max(...row);
    const total = Math.log(row.reduce((s, v) => s + Math.exp(v - top), 0)) + top;
    return row.map((v) => v - total);
  }),
  LayerNormMean: rows((row) => [mean(row)]),
  LayerNormInvStdDev: (x, node) => rows((row) => [invStdDev(row, node.attrs.eps as number)])(x, node),
  LayerNormalization: ([x, w, b], node) =>
    rows((row) => {
      const m = mean(row);
      const r = invStdDev(row, node.attrs.eps as number);
      return row.map((v, i) => (v - m) * r * w[i] + b[i]);
    })([x], node),
  Reshape: ([x]) => x,
  Transpose: ([x], { shape, attrs, inputs: [{ shape: from }] }) =>
    build(shape, (index) => {
      const source = new Array<number>(from.length);
      (attrs.perm as number[]).forEach((axis, i) => {
        source[axis] = index[i];
      });
      return x[ravel(source, from)];
    }),
  Concat: (x, { shape, attrs, inputs }) =>
    build(shape, (index) => {
      const axis = attrs.axis as number;
      const at = [...index];
      let part = 0;
      while (at[axis] >= inputs[part].shape[axis]) at[axis] -= inputs[part++].shape[axis];
      return x[part][ravel(at, inputs[part].shape)];
    }),
  Slice: ([x], { shape, attrs, inputs: [{ shape: from }] }) =>
    build(
      shape,
      (index) =>
        x[
          ravel(
            index.map((d, i) => (i === attrs.axis ? d + (attrs.start as number) : d)),
            from,
          )
        ],
    ),
  Pad: ([x], { shape, attrs, inputs: [{ shape: from }] }) =>
    build(shape, (index) => {
      const at = index.map((d, i) => (i === attrs.axis ? d - (attrs.before as number) : d));
      return at.every((d, i) => d >= 0 && d < from[i]) ? x[ravel(at, from)] : 0;
    }),
  Conv: ([x, w, b], { shape, attrs, inputs: [{ shape: from }, { shape: kernel }] }) => {
    const out = build(shape, ([, o]) => b?.[o] ?? 0);
    windows(shape, kernel, from, attrs, (y, k, at) => {
      out[y] += w[k] * x[at];
    });
    return out;
  },
  ConvTranspose: ([y, w], { shape, attrs, inputs: [{ shape: from }, { shape: kernel }] }) => {
    const out = new Float64Array(size(shape));
    windows(from, kernel, shape, attrs, (i, k, at) => {
      out[at] += w[k] * y[i];
    });
    return out;
  },
  AveragePool: ([x], { shape, attrs, inputs: [{ shape: from }] }) => {
    const side = attrs.size as number;
    const out = new Float64Array(size(shape));
    x.forEach((v, flat) => {
      const [n, c, i, j] = unravel(flat, from);
      out[ravel([n, c, Math.floor(i / side), Math.floor(j / side)], shape)] += v / side ** 2;
    });
    return out;
  },
  Expand: ([x], { shape, inputs: [{ shape: from }] }) => build(shape, (index) => x[broadcastAt(index, from)]),
  Gather: ([table, ids], { shape, inputs: [{ shape: from }, { shape: at }] }) =>
    build(shape, (index) => table[ravel([ids[ravel(index.slice(0, at.length), at)], ...index.slice(at.length)], from)]),
  ScatterND: ([onto, ids, values], { inputs: [{ shape }] }) => {
    const out = Float64Array.from(onto);
    const width = size(shape.slice(1));
    ids.forEach((id, row) => {
      for (let j = 0; j < width; j++) out[id * width + j] += values[row * width + j];
    });
    return out;
  },
  MatMul: product,
  Gemm: product,
};
