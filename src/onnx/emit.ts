/** Graph -> ONNX bytes (opset 21, IR 10), and nothing else. Equal graphs give equal bytes, so bytes name a program. */
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataLocation as DataLocation,
  TensorProto_DataType as DataType,
  ModelProtoSchema,
  type NodeProtoSchema,
  type TensorProtoSchema,
  type ValueInfoProtoSchema,
} from "onnx-buf";
import { type Attrs, type DType, type Node, topological } from "../graph/node.ts";
import { entryOf, type OnnxForm } from "../graph/op.ts";

type NodeInit = MessageInitShape<typeof NodeProtoSchema>;
type TensorInit = MessageInitShape<typeof TensorProtoSchema>;

/** A program: named results over the graph's `Input` nodes. Simplify it first. */
export type Outputs = Readonly<Record<string, Node>>;

/**
 * ONNX bytes of a program. Inputs keep the names of their `Input` nodes, in the order in which they are first read. Those named in
 * `fixed` become initializers whose float32 values lie in external files of the same names, for the runtime to bring.
 */
export function emit(outputs: Outputs, fixed: ReadonlySet<string> = new Set()): Uint8Array {
  const nodes: NodeInit[] = [];
  const initializers: TensorInit[] = [];
  const inputs: MessageInitShape<typeof ValueInfoProtoSchema>[] = [];
  const names = new Map<Node, string>();
  const constants = new Map<string, string>();
  const order = topological(Object.values(outputs));
  /** A result is written where it is asked for; inputs, constants and a second name of a result are copied there. */
  const wanted = new Map<Node, string>();
  for (const [name, node] of Object.entries(outputs))
    if (node.op !== "Input" && node.value === undefined && !wanted.has(node)) wanted.set(node, name);

  const constant = (type: DType, dims: readonly number[], value: Float32Array | Int32Array): string => {
    const raw = rawBytes(value);
    const key = `${type}|${dims}|${Buffer.from(raw).toString("latin1")}`;
    const known = constants.get(key);
    if (known !== undefined) return known;
    const name = `c${constants.size}`;
    constants.set(key, name);
    initializers.push({ name, dims: dims.map(BigInt), dataType: onnxType(type), rawData: raw });
    return name;
  };

  for (const [index, node] of order.entries()) {
    if (names.has(node)) continue;
    if (node.op === "Input") {
      const name = node.attrs.name as string;
      names.set(node, name);
      if (fixed.has(name)) initializers.push(external(name, node));
      else inputs.push(valueInfo(name, node));
      continue;
    }
    if (node.value !== undefined) {
      names.set(node, constant(node.dtype, node.shape, node.value));
      continue;
    }
    const form = onnxForm(node);
    const type = form.type ?? node.op;
    const own = node.inputs.map((x) => names.get(x) as string);
    const extra = [
      ...(form.floats ?? []).map((v) => constant("float32", [], Float32Array.of(v))),
      ...(form.ints ?? []).map((list) => constant("int", [list.length], Int32Array.from(list))),
    ];
    const attribute = attributes(form.attrs ?? node.attrs);
    const name = wanted.get(node) ?? `n${index}`;
    if (form.slot === undefined) {
      names.set(node, name);
      const { domain = "" } = form;
      nodes.push({ opType: type, domain, input: [...own, ...extra], output: [name], attribute, name });
      continue;
    }
    // nodes that are outputs of one ONNX op over the same first input become one: the first of them brings the others along
    const ready = (y: Node) => y.inputs.every((x) => names.has(x));
    const results: (string | undefined)[] = [undefined, undefined, undefined];
    let operands = own;
    for (const sibling of order.filter((y) => y === node || (!names.has(y) && sameCall(y, node) && ready(y)))) {
      const { slot = 0 } = onnxForm(sibling);
      if (results[slot] !== undefined) continue;
      names.set(sibling, (results[slot] = wanted.get(sibling) ?? `${name}_${slot}`));
      if (sibling.inputs.length > operands.length) operands = sibling.inputs.map((x) => names.get(x) as string);
    }
    const width = node.inputs[0].shape.at(-1) as number;
    if (operands.length === 1) operands = [own[0], constant("float32", [width], new Float32Array(width).fill(1))];
    const output = results.map((result, slot) => result ?? `${name}_unused${slot}`);
    nodes.push({ opType: type, domain: "", input: operands, output, attribute, name });
  }

  const results = Object.entries(outputs).map(([name, node]) => {
    const found = names.get(node) as string;
    if (found !== name)
      nodes.push({ opType: "Identity", domain: "", input: [found], output: [name], name: `to ${name}` });
    return valueInfo(name, node);
  });
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 10n,
      producerName: "tbar",
      opsetImport: [
        { domain: "", version: 21n },
        { domain: "com.microsoft", version: 1n },
      ],
      graph: { name: "tbar", node: nodes, input: inputs, output: results, initializer: initializers },
    }),
  );
}

function onnxForm(node: Node): OnnxForm {
  const { onnx } = entryOf(node.op);
  if (onnx === undefined) throw new Error(`${node.op} must be expanded by simplify() before it is emitted`);
  const shapes = node.inputs.map((x) => x.shape);
  return onnx(node.attrs, shapes);
}

/** Do two nodes call the same ONNX op with the same attributes on the same first input? */
function sameCall(a: Node, b: Node): boolean {
  if (a.inputs[0] !== b.inputs[0] || a.value !== undefined || a.op === "Input") return false;
  const [p, q] = [onnxForm(a), onnxForm(b)];
  return (p.type ?? a.op) === (q.type ?? b.op) && JSON.stringify(p.attrs) === JSON.stringify(q.attrs);
}

const onnxType = (type: DType) => (type === "int" ? DataType.INT64 : DataType.FLOAT);

function rawBytes(value: Float32Array | Int32Array): Uint8Array<ArrayBuffer> {
  const own = value instanceof Int32Array ? BigInt64Array.from(value, BigInt) : Float32Array.from(value);
  return new Uint8Array(own.buffer);
}

function valueInfo(name: string, { shape, dtype }: Node): MessageInitShape<typeof ValueInfoProtoSchema> {
  const dim = shape.map((d) => ({ value: { case: "dimValue" as const, value: BigInt(d) } }));
  return { name, type: { value: { case: "tensorType", value: { elemType: onnxType(dtype), shape: { dim } } } } };
}

function external(name: string, { shape, dtype }: Node): TensorInit {
  return {
    name,
    dims: shape.map(BigInt),
    dataType: onnxType(dtype),
    dataLocation: DataLocation.EXTERNAL,
    externalData: [{ key: "location", value: name }],
  };
}

/** Attributes by ONNX's own kinds: epsilon, alpha, beta, min and max are floats, every other number an integer. */
function attributes(attrs: Attrs): MessageInitShape<typeof AttributeProtoSchema>[] {
  return Object.entries(attrs).map(([name, v]) => {
    if (typeof v === "string") return { name, type: AttributeType.STRING, s: new TextEncoder().encode(v) };
    if (typeof v === "object") return { name, type: AttributeType.INTS, ints: v.map(BigInt) };
    if (floats.has(name)) return { name, type: AttributeType.FLOAT, f: Number(v) };
    return { name, type: AttributeType.INT, i: BigInt(Number(v)) };
  });
}
const floats = new Set(["epsilon", "alpha", "beta"]);
