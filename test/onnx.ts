/** ONNX models of a few operators that pass for a CLIP, for tests of what foreign ones may do. */
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataLocation as DataLocation,
  TensorProto_DataType as DataType,
  type GraphProtoSchema,
  ModelProtoSchema,
  type NodeProtoSchema,
  type TensorProtoSchema,
} from "onnx-buf";

export type NodeInit = MessageInitShape<typeof NodeProtoSchema>;
export type TensorInit = MessageInitShape<typeof TensorProtoSchema>;
type GraphInit = MessageInitShape<typeof GraphProtoSchema>;

export const node = (opType: string, input: string[], output: string[], more: NodeInit = {}): NodeInit => ({
  opType,
  input,
  output,
  ...more,
});
export const ints = (name: string, values: readonly number[], dims = [values.length]): TensorInit => ({
  name,
  dims: dims.map(BigInt),
  dataType: DataType.INT64,
  rawData: new Uint8Array(BigInt64Array.from(values, BigInt).buffer),
});
export const floats = (name: string, dims: readonly number[], value = 1): TensorInit => ({
  name,
  dims: dims.map(BigInt),
  dataType: DataType.FLOAT,
  rawData: new Uint8Array(new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(value).buffer),
});
export const external = (name: string, location: string, length: number): TensorInit => ({
  name,
  dims: [BigInt(length / 4)],
  dataType: DataType.FLOAT,
  dataLocation: DataLocation.EXTERNAL,
  externalData: Object.entries({ location, offset: "0", length: String(length) }).map(([key, value]) => ({
    key,
    value,
  })),
});
const value = (name: string, elemType: number, dims: readonly (string | number)[]) => ({
  name,
  type: {
    value: {
      case: "tensorType" as const,
      value: {
        elemType,
        shape: {
          dim: dims.map((dim) => ({
            value:
              typeof dim === "string"
                ? { case: "dimParam" as const, value: dim }
                : { case: "dimValue" as const, value: BigInt(dim) },
          })),
        },
      },
    },
  },
});

/** A body that adds its value to itself, as Loop has it. */
export const body: GraphInit = {
  name: "body",
  node: [node("Identity", ["going"], ["on"]), node("Add", ["x", "x"], ["twice"])],
  input: [value("turn", DataType.INT64, []), value("going", DataType.BOOL, []), value("x", DataType.FLOAT, [1])],
  output: [value("on", DataType.BOOL, []), value("twice", DataType.FLOAT, [1])],
};
export const graphAttribute = (name: string, g: GraphInit) => ({ name, type: AttributeType.GRAPH, g });

/** Embeddings [B, width] and [N, width] of the one value `w` that the nodes make (or that is 1), for images of 56 pixels. */
export function onnxModel(nodes: readonly NodeInit[], initializer: readonly TensorInit[], width = 4): Uint8Array {
  const makesW = [...nodes.flatMap(({ output }) => output), ...initializer.map(({ name }) => name)].includes("w");
  const rows = (input: string, output: string, n: number): NodeInit[] => [
    node("Shape", [input], [`s${n}`], { attribute: [attributeInt("start", 0), attributeInt("end", 1)] }),
    node("Concat", [`s${n}`, "width"], [`shape${n}`], { attribute: [attributeInt("axis", 0)] }),
    node("Expand", ["w", `shape${n}`], [output]),
  ];
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [
        { domain: "", version: 17n },
        { domain: "evil", version: 1n },
      ],
      graph: {
        name: "clip",
        node: [...nodes, ...rows("pixel_values", "image_embeds", 1), ...rows("input_ids", "text_embeds", 2)],
        initializer: [...initializer, ints("width", [width]), ...(makesW ? [] : [floats("w", [1])])],
        input: [
          value("pixel_values", DataType.FLOAT, ["B", 3, 56, 56]),
          value("input_ids", DataType.INT64, ["N", "L"]),
        ],
        output: [
          value("image_embeds", DataType.FLOAT, ["B", width]),
          value("text_embeds", DataType.FLOAT, ["N", width]),
        ],
      },
    }),
  );
}

const attributeInt = (name: string, i: number) => ({ name, type: AttributeType.INT, i: BigInt(i) });

/** Numbers that take minutes to multiply: [1, n] x [n, n] x ... and nothing to store. */
export function slowNodes(n = 6000): { nodes: NodeInit[]; tensors: TensorInit[] } {
  const of = (name: string, shape: string) =>
    node("ConstantOfShape", [shape], [name], {
      attribute: [{ name: "value", type: AttributeType.TENSOR, t: floats("", [1], 0) }],
    });
  const nodes = [
    node("ReduceSum", ["pixel_values"], ["sum"]),
    of("square0", "square"),
    node("Add", ["square0", "sum"], ["m0"]),
  ];
  for (let i = 0; i < 40; i++) nodes.push(node("MatMul", [`m${i}`, "m0"], [`m${i + 1}`]));
  nodes.push(node("ReduceSum", ["m40"], ["w0"]), node("Reshape", ["w0", "one"], ["w"]));
  return { nodes, tensors: [ints("square", [n, n]), ints("one", [1])] };
}

/** OUT/onnx/model.onnx with the settings of `settings`, a folder of a model of 56 pixels. */
export async function writeOnnx(out: string, settings: string, model: Uint8Array): Promise<string> {
  await mkdir(join(out, "onnx"), { recursive: true });
  for (const name of ["config.json", "tokenizer.json", "preprocessor_config.json"]) {
    await copyFile(join(settings, name), join(out, name));
  }
  const path = join(out, "onnx/model.onnx");
  await writeFile(path, model);
  return path;
}
