/** A program as the body of ONNX's Loop: what it changes is carried from step to step, and comes out at the end. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  GraphProtoSchema,
  ModelProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "onnx-buf";
import { integer, node } from "./nodes.ts";

/** What a program calls the value that takes the place of `name` for its next run. */
export const next = (name: string) => `${nextMark}${name}`;
const nextMark = "next ";

/** The names that a program carries on, of those of its results. */
export const carriedOf = (results: readonly string[]): string[] =>
  results.filter((name) => name.startsWith(nextMark)).map((name) => name.slice(nextMark.length));

/** Names of the looped program: its inputs `turns`, `first` of what is carried, `each` of what is fed; its results `last` and `every`. */
export const turns = "turns";
export const first = (name: string) => `first ${name}`;
export const each = (name: string) => `each ${name}`;
export const last = (name: string) => `last ${name}`;
export const every = (name: string) => `every ${name}`;

/**
 * The program that runs a program as often as the scalar `turns` says. What is carried goes in as it is at first and comes out as it is at
 * last; what is in `held` is the same for all runs; every other input [...] becomes [turns, ...], a row for each run, and so do the results.
 */
export function looped(onnx: Uint8Array, held: ReadonlySet<string>): Uint8Array {
  const model = fromBinary(ModelProtoSchema, onnx);
  const { node: nodes = [], initializer, input = [], output = [] } = model.graph ?? {};
  const carried = carriedOf(output.map(({ name }) => name));
  const carries = new Set(carried);
  const result = new Map(output.map((value) => [value.name, value]));
  const others = output.filter(({ name }) => !carried.some((of) => next(of) === name));
  const fed = input.filter(({ name }) => !carries.has(name) && !held.has(name));

  const body = create(GraphProtoSchema, {
    name: "step",
    node: [
      node("Identity", [going], stillGoing),
      ...fed.map(({ name }) => node("Gather", [each(name), turn], name, integer("axis", 0))),
      ...nodes,
    ],
    initializer,
    input: [
      scalarValue(turn, DataType.INT64),
      scalarValue(going, DataType.BOOL),
      ...carried.map((name) => renamed(result.get(next(name)) as ValueInfoProto, name)),
    ],
    output: [
      scalarValue(stillGoing, DataType.BOOL),
      ...carried.map((name) => result.get(next(name)) as ValueInfoProto),
      ...others,
    ],
  });
  const loop = node("Loop", [turns, "", ...carried.map(first)], [...carried.map(last), ...others.map(({ name }) => every(name))], {
    name: "body",
    type: AttributeType.GRAPH,
    g: body,
  }); // biome-ignore format: one call
  const graph = create(GraphProtoSchema, {
    name: "steps",
    node: [loop],
    input: [
      scalarValue(turns, DataType.INT64),
      ...carried.map((name) => renamed(result.get(next(name)) as ValueInfoProto, first(name))),
      ...input.filter(({ name }) => held.has(name) && !carries.has(name)),
      ...fed.map((value) => stacked(value, each(value.name))),
    ],
    output: [
      ...carried.map((name) => renamed(result.get(next(name)) as ValueInfoProto, last(name))),
      ...others.map((value) => stacked(value, every(value.name))),
    ],
  });
  return toBinary(ModelProtoSchema, { ...model, graph });
}

const [turn, going, stillGoing] = ["turn", "going", "still going"];

const scalarValue = (name: string, elemType: number) =>
  create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: "tensorType", value: { elemType, shape: { dim: [] } } } },
  });

const renamed = (value: ValueInfoProto, name: string) => create(ValueInfoProtoSchema, { name, type: value.type });

/** The same with an axis of runs before its own. */
function stacked({ type }: ValueInfoProto, name: string): ValueInfoProto {
  if (type?.value.case !== "tensorType") throw new Error(`${name} is no tensor`);
  const { elemType, shape } = type.value.value;
  const dim = [{ value: { case: "dimParam" as const, value: turns } }, ...(shape?.dim ?? [])];
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: "tensorType", value: { elemType, shape: { dim } } } },
  });
}
