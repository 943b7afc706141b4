/** The symbolic graph: immutable nodes with fixed shapes. Programs are built from `ops`, differentiated by `grad`, run elsewhere. */

/** `int` is Int32Array on the host and int64 in ONNX, which asks for it in places. */
export type DType = "float32" | "int";
export type Attrs = Readonly<Record<string, number | boolean | string | readonly number[]>>;

export interface Node {
  /** A name of the op table, or `Input`, `Constant`, `Output`. */
  readonly op: string;
  readonly inputs: readonly Node[];
  readonly attrs: Attrs;
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Values of a `Constant`. */
  readonly value?: Float32Array | Int32Array;
}

/** A value fed at run time: pixels, tokens, or a weight by its checkpoint name. */
export function input(name: string, shape: readonly number[], dtype: DType = "float32"): Node {
  return { op: "Input", inputs: [], attrs: { name }, shape: [...shape], dtype };
}

/** A value fixed in the program. */
export function constant(value: Float32Array | Int32Array, shape: readonly number[]): Node {
  const dtype = value instanceof Int32Array ? "int" : "float32";
  return { op: "Constant", inputs: [], attrs: {}, shape: [...shape], dtype, value };
}

/** A rank-0 constant. */
export const scalar = (value: number): Node => constant(Float32Array.of(value), []);

/** A constant with one value everywhere. */
export function filled(shape: readonly number[], value: number): Node {
  return constant(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value), shape);
}

/** Nodes from the leaves to the roots: each stands after everything it reads. */
export function topological(roots: readonly Node[]): Node[] {
  const order: Node[] = [];
  const done = new Set<Node>();
  const stack: { node: Node; next: number }[] = roots.map((node) => ({ node, next: 0 })).reverse();
  while (stack.length > 0) {
    const top = stack[stack.length - 1];
    if (done.has(top.node)) {
      stack.pop();
    } else if (top.next < top.node.inputs.length) {
      stack.push({ node: top.node.inputs[top.next++], next: 0 });
    } else {
      done.add(top.node);
      order.push(top.node);
      stack.pop();
    }
  }
  return order;
}
