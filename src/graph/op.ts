/** The op table's form: shape rule, gradient, ONNX lowering and sample inputs of an op stand side by side in one entry. */
import type { Attrs, Node } from "./node.ts";

/** What a gradient rule sees: the op's inputs `x`, its result `y` and the gradient `dy` of the loss with respect to `y`. */
export interface GradContext<A> {
  readonly x: readonly Node[];
  readonly y: Node;
  readonly dy: Node;
  readonly attrs: A;
}

/** How ONNX spells an op: its own name and the op's attributes unless told. */
export interface OnnxForm {
  readonly type?: string;
  readonly domain?: "com.microsoft";
  readonly attrs?: Attrs;
  /** int64 inputs after the op's own: axes, a target shape. */
  readonly ints?: readonly (readonly number[])[];
  /** float32 scalar inputs after the op's own. */
  readonly floats?: readonly number[];
  /** Which output of the ONNX op this node is; nodes that differ only in it become one. */
  readonly slot?: number;
}

/** An op reaches ONNX as one node of it, or by being rewritten in other ops of the table. */
export type Lowering<A> =
  | { readonly onnx: (attrs: A, shapes: readonly (readonly number[])[]) => OnnxForm; readonly expand?: undefined }
  | { readonly expand: (x: readonly Node[], attrs: A) => Node; readonly onnx?: undefined };

/** Random inputs on which the op and its gradient are tested. */
export interface Sample<A> {
  readonly shapes: readonly (readonly number[])[];
  readonly attrs?: A;
  /** Range of the random values; -1..1 unless told. */
  readonly range?: readonly [number, number];
  /** Inputs that are indices, by position, with their upper bound. */
  readonly indices?: Readonly<Record<number, number>>;
}

/** The shapes of a sample's inputs. */
export const inputs = (...shapes: readonly (readonly number[])[]): Sample<never>["shapes"] => shapes;

export type OpEntry<A extends Attrs> = Lowering<A> & {
  /** Result shape from the inputs' shapes; throws on shapes that do not fit. */
  readonly shape: (shapes: readonly (readonly number[])[], attrs: A) => readonly number[];
  /** Gradient for each input (undefined where there is none), in table ops, so that it can be differentiated again. */
  readonly grad: (context: GradContext<A>) => readonly (Node | undefined)[];
  readonly check: readonly Sample<A>[];
};

const table = new Map<string, OpEntry<Attrs>>();

/** Add an op to the table; the function returned makes its nodes. */
export function defineOp<A extends Attrs>(
  name: string,
  entry: OpEntry<A>,
): (inputs: readonly Node[], attrs: A) => Node {
  table.set(name, entry as unknown as OpEntry<Attrs>);
  return (inputs, attrs) => makeNode(name, inputs, attrs);
}

/** A node of the table, its shape derived. `simplify` uses it to rebuild nodes over other inputs. */
export function makeNode(op: string, inputs: readonly Node[], attrs: Attrs): Node {
  const shapes = inputs.map((node) => node.shape);
  return { op, inputs, attrs, shape: entryOf(op).shape(shapes, attrs), dtype: inputs[0].dtype };
}

export function entryOf(op: string): OpEntry<Attrs> {
  const entry = table.get(op);
  if (entry === undefined) throw new Error(`op ${op} is not in the table`);
  return entry;
}

/** Every op with its entry: the tests walk over it. */
export const opTable = (): ReadonlyMap<string, OpEntry<Attrs>> => table;
