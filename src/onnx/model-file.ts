/** ONNX files whose weights are written one at a time: the messages around them are framed by hand, as their sizes are known. */
import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import {
  TensorProto_DataType as DataType,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  TensorProtoSchema,
} from "onnx-buf";
import { badInput } from "../tensor/error.ts";
import { sizeOf } from "../tensor/tensor.ts";

/** A weight of the file. */
export interface Initializer {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: "float32" | "int8";
  /** Its little-endian bytes in pieces, asked for when its turn comes. */
  readonly data: () => AsyncIterable<Uint8Array>;
}

/** The most bytes that a protobuf message, and so an ONNX file, may have. */
const limit = 2 ** 31 - 1;

/** The bytes of `model` with these weights, piece by piece. Throws `bad-input` when they are more than ONNX allows. */
export function modelBytes(model: ModelProto, weights: readonly Initializer[]): AsyncGenerator<Uint8Array> {
  const { graph, ...rest } = model;
  const head = toBinary(ModelProtoSchema, create(ModelProtoSchema, rest));
  const body = toBinary(GraphProtoSchema, graph ?? create(GraphProtoSchema));
  const frames = weights.map((weight) => ({ ...weight, before: frameOf(weight), bytes: bytesOf(weight) }));
  const length = frames.reduce((sum, { before, bytes }) => sum + before.length + bytes, body.length);
  if (head.length + length > limit - 16)
    throw badInput(`an ONNX file of ${(length / 2 ** 30).toFixed(1)} GiB would be needed, and 2 GiB are its limit`);
  return (async function* () {
    yield head;
    yield field(ModelProtoSchema.field.graph.number, length);
    yield body;
    for (const { name, before, bytes, data } of frames) {
      yield before;
      let written = 0;
      for await (const piece of data()) {
        written += piece.length;
        yield piece;
      }
      if (written !== bytes) throw new RangeError(`${name}: ${written} bytes where ${bytes} were announced`);
    }
  })();
}

const bytesOf = ({ shape, type }: Initializer) => sizeOf(shape) * (type === "int8" ? 1 : 4);

/** All of an initializer's message but its bytes, which are its last field. */
function frameOf(weight: Initializer): Uint8Array {
  const { name, shape, type } = weight;
  const dataType = type === "int8" ? DataType.INT8 : DataType.FLOAT;
  const tensor = toBinary(TensorProtoSchema, create(TensorProtoSchema, { name, dims: shape.map(BigInt), dataType }));
  const bytes = bytesOf(weight);
  const raw = field(TensorProtoSchema.field.rawData.number, bytes);
  const whole = field(GraphProtoSchema.field.initializer.number, tensor.length + raw.length + bytes);
  return Buffer.concat([whole, tensor, raw]);
}

/** The tag and length with which a field of so many bytes begins. */
const field = (number: number, length: number): Uint8Array =>
  new BinaryWriter().tag(number, WireType.LengthDelimited).uint32(length).finish();
