/**
 * Linear maps in 8 bits: weights as signed integers with a scale for each output, activations quantised as they come
 * (DynamicQuantizeLinear), products summed as integers (MatMulInteger) and scaled back; ONNX Runtime fuses these. Look-up tables
 * have a scale for each row. All else stays float32.
 */
import { create } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  type GraphProto,
  type NodeProto,
  TensorProtoSchema,
} from "onnx-buf";
import { sizeOf } from "../tensor/tensor.ts";
import type { Initializer } from "./model-file.ts";
import { integer, node } from "./nodes.ts";

/**
 * Largest weights of a linear map. Two products with activations of 8 bits then fit into 16 bits, in which processors without
 * VNNI sum them up, and saturate.
 */
const largestFactor = 63;
const largestEntry = 127;

/** A float32 weight of the graph. */
export interface FloatWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: () => Promise<Float32Array>;
}

export interface Quantized {
  /** What the graph reads in place of the weights, in the order in which they must be written. */
  readonly initializers: readonly Initializer[];
  /** The weights that it reads no more. */
  readonly replaced: ReadonlySet<string>;
}

/**
 * Rewrites the nodes that multiply by one of these weights (Gemm, of the weight as it is or reshaped) or look up its rows
 * (Gather).
 */
export function quantize(graph: GraphProto, weights: readonly FloatWeight[]): Quantized {
  const byName = new Map(weights.map((weight) => [weight.name, weight]));
  for (const { opType, input, output } of graph.node) {
    const weight = opType === "Reshape" ? byName.get(input[0]) : undefined;
    if (weight !== undefined) byName.set(output[0], weight);
  }
  const made = new Map<string, readonly Initializer[]>();
  const seen = new Set<string>();
  graph.node = graph.node.flatMap((node) => {
    const linear = isLinear(node);
    const weight = byName.get(node.input[linear ? 1 : 0]);
    if (weight === undefined || !(linear || node.opType === "Gather")) return [node];
    made.set(weight.name, linear ? quantizedMap(weight) : quantizedTable(weight));
    const nodes = linear ? integerProduct(graph, node, weight.name) : scaledLookUp(node, weight.name);
    return nodes.filter(({ output }) => !seen.has(output[0]) && seen.add(output[0])); // an activation is quantised once
  });
  dropUnread(graph);
  const read = new Set(graph.node.flatMap(({ input }) => input));
  return {
    initializers: [...made.values()].flat(),
    replaced: new Set([...made.keys()].filter((name) => !read.has(name))),
  };
}

const isLinear = (node: NodeProto) =>
  node.opType === "Gemm" && numberOf(node, "transA", 0) === 0 && numberOf(node, "transB", 0) === 1;

function numberOf({ attribute }: NodeProto, name: string, otherwise: number): number {
  const found = attribute.find((one) => one.name === name);
  return found === undefined ? otherwise : found.type === AttributeType.FLOAT ? found.f : Number(found.i);
}

const toFloat = integer("to", DataType.FLOAT);

/** y = alpha x W^T + beta b with W in 8 bits. */
function integerProduct(graph: GraphProto, gemm: NodeProto, weight: string): NodeProto[] {
  const [x, , bias] = gemm.input;
  const [y] = gemm.output;
  const nodes = [
    node("DynamicQuantizeLinear", [x], [`${x}_bytes`, `${x}_step`, `${x}_zero`]),
    node("MatMulInteger", [`${x}_bytes`, `${weight}_quantized`, `${x}_zero`], `${y}_sum`),
    node("Cast", [`${y}_sum`], `${y}_float`, toFloat),
  ];
  const times = (name: string, factor: number): string => {
    if (factor === 1) return name;
    const scalar = `times ${factor}`;
    if (!graph.initializer.some(({ name }) => name === scalar)) {
      const rawData = new Uint8Array(Float32Array.of(factor).buffer);
      graph.initializer.push(create(TensorProtoSchema, { name: scalar, dataType: DataType.FLOAT, rawData }));
    }
    nodes.push(node("Mul", [name, scalar], `${y}_${name}`));
    return `${y}_${name}`;
  };
  const factor = times(`${weight}_scale`, numberOf(gemm, "alpha", 1));
  nodes.push(node("Mul", [`${x}_step`, factor], `${y}_factor`));
  if (bias === undefined) return [...nodes, node("Mul", [`${y}_float`, `${y}_factor`], y)];
  const shift = times(bias, numberOf(gemm, "beta", 1));
  return [...nodes, node("Mul", [`${y}_float`, `${y}_factor`], `${y}_scaled`), node("Add", [`${y}_scaled`, shift], y)];
}

function scaledLookUp({ input: [, ids], output: [y] }: NodeProto, table: string): NodeProto[] {
  return [
    node("Gather", [`${table}_quantized`, ids], `${y}_rows`),
    node("Cast", [`${y}_rows`], `${y}_float`, toFloat),
    node("Gather", [`${table}_scale`, ids], `${y}_steps`),
    node("Mul", [`${y}_float`, `${y}_steps`], y),
  ];
}

/** Reshapes of weights that nobody reads any more. */
function dropUnread(graph: GraphProto): void {
  const read = new Set([...graph.node.flatMap(({ input }) => input), ...graph.output.map(({ name }) => name)]);
  graph.node = graph.node.filter(({ opType, output }) => opType !== "Reshape" || read.has(output[0]));
}

/** [out, in] -> [in, out] with a scale for each output. */
function quantizedMap(weight: FloatWeight): Initializer[] {
  const [outputs] = weight.shape;
  const inputs = sizeOf(weight.shape) / outputs;
  const place = (row: number, column: number) => column * outputs + row;
  return quantizedRows(weight, [inputs, outputs], [outputs], largestFactor, place);
}

/** [rows, width] with a scale for each row. */
function quantizedTable(weight: FloatWeight): Initializer[] {
  const [rows, width] = weight.shape;
  return quantizedRows(weight, [rows, width], [rows, 1], largestEntry, (row, column) => row * width + column);
}

/** Integers up to `largest` and their scales; the scales are known when the integers have been asked for. */
function quantizedRows(
  { name, shape: [rows], values }: FloatWeight,
  shape: readonly number[],
  scaleShape: readonly number[],
  largest: number,
  place: (row: number, column: number) => number,
): Initializer[] {
  const scales = new Float32Array(rows);
  async function* integers() {
    const data = await values();
    const width = data.length / rows;
    const out = new Int8Array(data.length);
    for (let row = 0; row < rows; row++) {
      let most = 0;
      for (let i = row * width; i < (row + 1) * width; i++) most = Math.max(most, Math.abs(data[i]));
      scales[row] = most === 0 ? 1 : most / largest;
      for (let i = 0; i < width; i++) out[place(row, i)] = Math.round(data[row * width + i] / scales[row]);
    }
    yield new Uint8Array(out.buffer);
  }
  async function* factors() {
    yield new Uint8Array(scales.buffer);
  }
  return [
    { name: `${name}_quantized`, shape, type: "int8", data: integers },
    { name: `${name}_scale`, shape: scaleShape, type: "float32", data: factors },
  ];
}
