/** Nodes, attributes and constants of ONNX graphs, in few words. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
} from "onnx-buf";

export type Attribute = MessageInitShape<typeof AttributeProtoSchema>;

export const integer = (name: string, n: number): Attribute => ({ name, type: AttributeType.INT, i: BigInt(n) });

/** A node, called as its first output. */
export function node(
  opType: string,
  input: readonly string[],
  output: string | readonly string[],
  ...attribute: Attribute[]
): NodeProto {
  const outputs = [output].flat();
  return create(NodeProtoSchema, { opType, input: [...input], output: outputs, name: outputs[0], attribute });
}

export const int64Bytes = (values: readonly number[]) => new Uint8Array(BigInt64Array.from(values, BigInt).buffer);

/** A constant [values.length], or without `isList` the scalar that is its only value. */
export const int64 = (name: string, values: readonly number[], isList = true): TensorProto => {
  const dims = isList ? [BigInt(values.length)] : [];
  return create(TensorProtoSchema, { name, dims, dataType: DataType.INT64, rawData: int64Bytes(values) });
};
