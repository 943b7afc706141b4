/**
 * Sizes that are only known when a program runs. Graphs have fixed shapes, so such a size is stood for by a prime that divides no
 * other size of the graph: whatever it divides depends on it, and becomes symbolic or is computed from an input's shape.
 */
import {
  TensorProto_DataType as DataType,
  type GraphProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from "onnx-buf";
import { type Attribute, int64, int64Bytes, integer, node } from "./nodes.ts";

export interface Symbol {
  /** As ONNX shows it: `batch_size`. */
  readonly name: string;
  /** What stands for it. */
  readonly prime: number;
  /** The input whose axis has this size. */
  readonly input: string;
  readonly axis: number;
}

/** So many primes above `least`, none of which divides one of the sizes. */
export function standIns(count: number, sizes: readonly number[], least: number): number[] {
  const found: number[] = [];
  for (let n = least + 1; found.length < count; n++) {
    let divisor = 2;
    while (divisor * divisor <= n && n % divisor !== 0) divisor++;
    if (divisor * divisor > n && sizes.every((size) => size % n !== 0)) found.push(n);
  }
  return found;
}

/** Changes the graph so that it serves any value of the symbols. Its integer constants are shapes, bounds and axes. */
export function makeSymbolic(graph: GraphProto, symbols: readonly Symbol[]): void {
  for (const value of [...graph.input, ...graph.output]) nameDims(value, symbols);
  const sizes = new Sizes(symbols);
  graph.initializer = graph.initializer.filter((constant) => {
    const list = integersOf(constant);
    if (list === undefined || !list.some((n) => isSymbolic(n, symbols))) return true;
    const readers = graph.node.filter(({ input }) => input.includes(constant.name));
    if (
      readers.every(({ opType }) => opType === "Reshape") &&
      list.filter((n) => isSymbolic(n, symbols)).length === 1
    ) {
      constant.rawData = int64Bytes(list.map((n) => (isSymbolic(n, symbols) ? -1 : n))); // Reshape finds one size itself
      return true;
    }
    const name = sizes.list(list);
    for (const { input } of readers)
      for (const [i, read] of input.entries()) if (read === constant.name) input[i] = name;
    return false;
  });
  graph.initializer.push(...sizes.constants);
  graph.node.unshift(...sizes.nodes);
}

const isSymbolic = (n: number, symbols: readonly Symbol[]) => n !== 0 && symbols.some(({ prime }) => n % prime === 0);

function nameDims({ type }: ValueInfoProto, symbols: readonly Symbol[]): void {
  if (type?.value.case !== "tensorType") return;
  for (const dim of type.value.value.shape?.dim ?? []) {
    const symbol = symbols.find(({ prime }) => dim.value.case === "dimValue" && Number(dim.value.value) === prime);
    if (symbol !== undefined) dim.value = { case: "dimParam", value: symbol.name };
  }
}

/** Nodes that compute lists of sizes, each made once. */
class Sizes {
  readonly nodes: NodeProto[] = [];
  readonly constants: TensorProto[] = [];
  readonly #known = new Map<string, string>();
  readonly #symbols: readonly Symbol[];

  constructor(symbols: readonly Symbol[]) {
    this.#symbols = symbols;
  }

  /** The name of a tensor with these values. */
  list(values: readonly number[]): string {
    return this.#once(`sizes ${values}`, (name) => {
      const parts = values.map((n) => this.#one(n));
      if (parts.length === 1) return parts[0];
      return this.#add("Concat", parts, name, integer("axis", 0));
    });
  }

  /** A size as a tensor [1]: what is left of it without its symbols, times each of them. */
  #one(n: number): string {
    const symbol = n === 0 ? undefined : this.#symbols.find(({ prime }) => n % prime === 0);
    if (symbol === undefined) return this.#once(`size ${n}`, (name) => this.#constant(n, name));
    const size = this.#once(symbol.name, (name) => this.#add("Shape", [symbol.input], name, ...interval(symbol.axis)));
    if (n === symbol.prime) return size;
    return this.#once(`size ${n}`, (name) => this.#add("Mul", [this.#one(n / symbol.prime), size], name));
  }

  #once(key: string, make: (name: string) => string): string {
    const known = this.#known.get(key) ?? make(key);
    this.#known.set(key, known);
    return known;
  }

  #constant(n: number, name: string): string {
    this.constants.push(int64(name, [n]));
    return name;
  }

  #add(opType: string, input: string[], name: string, ...attribute: Attribute[]): string {
    this.nodes.push(node(opType, input, name, ...attribute));
    return name;
  }
}

const interval = (axis: number) => [integer("start", axis), integer("end", axis + 1)];

function integersOf({ dataType, rawData }: TensorProto): number[] | undefined {
  if (dataType !== DataType.INT64 || rawData === undefined) return undefined;
  return Array.from(new BigInt64Array(rawData.slice().buffer), Number);
}
