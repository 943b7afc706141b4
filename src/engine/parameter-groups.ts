/** Parameters one behind the other as one vector: an optimiser's dozen passes over a model's hundreds of tensors cost a device more than they compute. */
import { filled, type Node } from "../graph/node.ts";
import { concat, reduceSum, reduceSumSquare, reshape, slice } from "../graph/ops/index.ts";
import { sizeOf, type Tensor, tensor } from "../tensor/tensor.ts";

export interface Group {
  readonly name: string;
  /** What the optimiser treats alike. */
  readonly kind: string;
  readonly members: readonly Member[];
  /** Of the vector: its members' values, and zeros after them up to a multiple of `row`. */
  readonly size: number;
}

interface Member {
  readonly name: string;
  readonly shape: readonly number[];
  readonly at: number;
  readonly size: number;
}

/** Values of a group, 64 MiB of float32: more would bring nothing, and some devices bind no larger buffer than 128 MiB. A tensor larger than that is alone. */
const most = 2 ** 24;
const row = 1024;

/** Parameters of one kind together, in their order. */
export function groupsOf(
  parameters: readonly (readonly [name: string, shape: readonly number[]])[],
  kindOf: (name: string, shape: readonly number[]) => string,
): Group[] {
  const groups: { name: string; kind: string; members: Member[]; size: number }[] = [];
  const open = new Map<string, (typeof groups)[number]>();
  for (const [name, shape] of parameters) {
    const [kind, size] = [kindOf(name, shape), sizeOf(shape)];
    let group = open.get(kind);
    if (group === undefined || group.size + size > most) {
      group = { name: `group ${groups.length}`, kind, members: [], size: 0 };
      groups.push(group);
      open.set(kind, group);
    }
    group.members.push({ name, shape, at: group.size, size });
    group.size += size;
  }
  return groups.map((group) => ({ ...group, size: Math.ceil(group.size / row) * row }));
}

/** The vector of a node for each member. */
export function joined({ members, size }: Group, of: (name: string) => Node): Node {
  const flat = members.map(({ name, size }) => reshape(of(name), [size]));
  const last = members[members.length - 1];
  const rest = size - last.at - last.size;
  const all = rest === 0 ? flat : [...flat, filled([rest], 0)];
  return all.length === 1 ? all[0] : concat(all, 0);
}

/** The sum of a vector's squares, row by row first: by rows they are summed side by side, and rounded less. */
export const squaredNormOf = (vector: Node): Node =>
  reduceSum(reduceSumSquare(reshape(vector, [vector.shape[0] / row, row]), [-1]));

/** Each member's node, out of the vector. */
export const parted = ({ members, size: all }: Group, vector: Node): [string, Node][] =>
  members.map(({ name, shape, at, size }) => [
    name,
    reshape(size === all ? vector : slice(vector, 0, at, at + size), shape),
  ]);

/** The vector of members' values. */
export function joinedValues({ members, size }: Group, of: ReadonlyMap<string, Tensor>): Tensor {
  const vector = tensor([size]);
  for (const { name, at } of members) vector.data.set((of.get(name) as Tensor).data, at);
  return vector;
}

/** Each member's values, as views of the vector. */
export const partedValues = ({ members }: Group, { data }: Tensor): [string, Tensor][] =>
  members.map(({ name, shape, at, size }) => [name, { shape, data: data.subarray(at, at + size) }]);
