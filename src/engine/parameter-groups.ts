/** Parameters one behind the other as one: an optimiser's dozen passes over a model's hundreds of tensors cost a device more than they compute. */
import type { Node } from "../graph/node.ts";
import { concat, reduceSum, reduceSumSquare, reshape, slice } from "../graph/ops/index.ts";
import { sizeOf, type Tensor, tensor } from "../tensor/tensor.ts";

export interface Group {
  readonly name: string;
  /** What the optimiser treats alike. */
  readonly kind: string;
  readonly members: readonly Member[];
  /** [rows, width]: all members are of whole rows. */
  readonly shape: readonly [rows: number, width: number];
}

interface Member {
  readonly name: string;
  readonly shape: readonly number[];
  /** Its first row, and how many it has. */
  readonly at: number;
  readonly rows: number;
}

/** Values of a group, 64 MiB of float32: more would bring nothing, and some devices bind no larger buffer than 128 MiB. A larger tensor is alone. */
const most = 2 ** 24;
/** CUDA's Concat is sent a table of the length of its axis at each run. */
const mostRows = 2 ** 15;
/** A row of more is cut. */
const widest = 1024;

/** Parameters of one kind together, in their order. */
export function groupsOf(
  parameters: readonly (readonly [name: string, shape: readonly number[]])[],
  kindOf: (name: string, shape: readonly number[]) => string,
): Group[] {
  const all: { kind: string; of: (readonly [string, readonly number[]])[]; size: number; common: number }[] = [];
  const open = new Map<string, (typeof all)[number]>();
  for (const parameter of parameters) {
    const kind = kindOf(...parameter);
    const own = sizeOf(parameter[1]);
    const before = open.get(kind);
    const size = own + (before?.size ?? 0);
    const common = divisor(own, before?.common ?? 0);
    if (before !== undefined && size <= most && size / widthOf(common) <= mostRows) {
      before.of.push(parameter);
      Object.assign(before, { size, common });
    } else {
      const group = { kind, of: [parameter], size: own, common: own };
      all.push(group);
      open.set(kind, group);
    }
  }
  return all.map(({ kind, of, size, common }, i) => {
    const width = widthOf(common);
    let at = 0;
    const members = of.map(([name, shape]) => {
      const rows = sizeOf(shape) / width;
      at += rows;
      return { name, shape, at: at - rows, rows };
    });
    return { name: `group ${i}`, kind, members, shape: [size / width, width] };
  });
}

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b));
const widthOf = (common: number) => (common <= widest ? common : divisor(common, widest));

/** The matrix of a node for each member. */
export function joined({ members, shape: [, width] }: Group, of: (name: string) => Node): Node {
  const parts = members.map(({ name, rows }) => reshape(of(name), [rows, width]));
  return parts.length === 1 ? parts[0] : concat(parts, 0);
}

/** The sum of a matrix's squares, row by row first: rows are summed side by side, and rounded less. */
export const squaredNormOf = (matrix: Node): Node => reduceSum(reduceSumSquare(matrix, [-1]));

/** Each member's node, out of the matrix. */
export const parted = ({ members, shape: [all] }: Group, matrix: Node): [string, Node][] =>
  members.map(({ name, shape, at, rows }) => [
    name,
    reshape(rows === all ? matrix : slice(matrix, 0, at, at + rows), shape),
  ]);

/** The matrix of members' values. */
export function joinedValues({ members, shape }: Group, of: ReadonlyMap<string, Tensor>): Tensor {
  const matrix = tensor(shape);
  for (const { name, at } of members) matrix.data.set((of.get(name) as Tensor).data, at * shape[1]);
  return matrix;
}

/** Each member's values, as views of the matrix. */
export const partedValues = ({ members, shape: [, width] }: Group, { data }: Tensor): [string, Tensor][] =>
  members.map(({ name, shape, at, rows }) => [name, { shape, data: data.subarray(at * width, (at + rows) * width) }]);
