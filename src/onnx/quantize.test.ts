import { create, fromBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";
import { expect, test } from "vitest";
import { input } from "../graph/node.ts";
import { gather, gemm, reshape } from "../graph/ops/index.ts";
import { onnxRuntime } from "../runtime/onnxruntime.ts";
import { intTensor, tensor } from "../tensor/tensor.ts";
import { emit, type Outputs } from "./emit.ts";
import { type Initializer, modelBytes } from "./model-file.ts";
import { quantize } from "./quantize.ts";

/** The program with these weights in 8 bits, and the initializers they became. */
async function quantized(outputs: Outputs, values: Readonly<Record<string, { shape: number[]; data: number[] }>>) {
  const model = fromBinary(ModelProtoSchema, emit(outputs));
  const { graph } = model;
  if (graph === undefined) throw new Error("no graph");
  graph.input = graph.input.filter(({ name }) => !(name in values));
  const weights = Object.entries(values).map(([name, { shape, data }]) => ({
    name,
    shape,
    values: async () => Float32Array.from(data),
  }));
  const { initializers, replaced } = quantize(graph, weights);
  const floats = weights
    .filter(({ name }) => !replaced.has(name))
    .map(({ name, shape, values }): Initializer => {
      return {
        name,
        shape,
        type: "float32",
        data: async function* () {
          yield new Uint8Array((await values()).buffer);
        },
      };
    });
  const written = new Map<string, Uint8Array>();
  const spied = initializers.map(
    (one): Initializer => ({
      ...one,
      data: async function* () {
        for await (const bytes of one.data()) {
          written.set(one.name, bytes);
          yield bytes;
        }
      },
    }),
  );
  const chunks: Uint8Array[] = [];
  for await (const chunk of modelBytes(model, [...spied, ...floats])) chunks.push(chunk);
  const executor = await onnxRuntime({ threads: 1 });
  return { program: await executor.compile(Buffer.concat(chunks)), written, replaced, graph };
}

const floatsOf = (bytes?: Uint8Array) => [...new Float32Array(bytes?.slice().buffer ?? new ArrayBuffer(0))];

test("Gemm: w = q s with a scale for each output, |q| <= 63, alpha and beta kept", async () => {
  const x = input("x", [2, 2]);
  const y = gemm(x, input("w", [3, 2]), { transB: true, alpha: 2, beta: 0.5 }, input("b", [3]));
  const { program, written, replaced } = await quantized(
    { y },
    { w: { shape: [3, 2], data: [63, -21, 0.5, 0.3, 0, 0] }, b: { shape: [3], data: [2, 4, 6] } },
  );
  expect([...replaced]).toEqual(["w"]);
  expect([...new Int8Array(written.get("w_quantized")?.slice().buffer ?? new ArrayBuffer(0))]).toEqual([
    63, 63, 0, -21, 38, 0,
  ]);
  expect(floatsOf(written.get("w_scale"))).toEqual([1, Math.fround(0.5 / 63), 1]);
  // activations 0 .. 255 are exact in 8 bits
  const { y: result } = await program.run({ x: tensor([2, 2], [255, 0, 10, 3]) });
  const second = (a: number, b: number) => 2 * ((63 * a + 38 * b) * (0.5 / 63)) + 2;
  const expected = [2 * 63 * 255 + 1, second(255, 0), 3, 2 * (63 * 10 - 21 * 3) + 1, second(10, 3), 3];
  expect([...result.data].map((v, i) => Math.abs(v / expected[i] - 1) < 1e-6)).toEqual(Array(6).fill(true));
});

test("no two products of 8 bits exceed 16 bits", () => {
  expect(2 * 255 * 63).toBeLessThanOrEqual(32767);
});

test("Gather: a scale for each row; an activation that two maps read is quantised once", async () => {
  const rows = gather(input("table", [3, 2]), input("ids", [2], "int"));
  const w = { transB: true };
  const outputs = {
    rows,
    p: gemm(rows, input("a", [1, 2]), w),
    q: gemm(rows, reshape(input("k", [1, 2, 1]), [1, 2]), w),
  };
  const { program, graph, replaced } = await quantized(outputs, {
    table: { shape: [3, 2], data: [1, -2, 127, 127, 0, 0] },
    a: { shape: [1, 2], data: [63, 63] },
    k: { shape: [1, 2, 1], data: [63, 0] },
  });
  expect([...replaced].sort()).toEqual(["a", "k", "table"]);
  expect(graph.node.filter(({ opType }) => opType === "DynamicQuantizeLinear")).toHaveLength(1);
  expect(graph.node.filter(({ opType }) => opType === "Reshape")).toEqual([]);
  const result = await program.run({ ids: intTensor([2], [1, 0]) });
  expect([...result.rows.data.subarray(0, 2)]).toEqual([127, 127]);
  expect(result.rows.data[2]).toBeCloseTo(64 * (2 / 127), 5);
  expect(result.rows.data[3]).toBeCloseTo(-2, 5);
});

test("a weight that is also read as it is stays beside its integers", async () => {
  const w = input("w", [2, 2]);
  const x = input("x", [1, 2]);
  const { program, replaced } = await quantized(
    { y: gemm(x, w, { transB: true }), z: gemm(x, w) },
    { w: { shape: [2, 2], data: [63, 0, 0, 63] } },
  );
  expect(replaced.size).toBe(0);
  const { y, z } = await program.run({ x: tensor([1, 2], [255, 0]) });
  expect([y.data[0], z.data[0]]).toEqual([255 * 63, 255 * 63]);
});

test("more than 2 GiB is refused before anything is written", () => {
  const weight: Initializer = { name: "w", shape: [2 ** 20, 2 ** 9], type: "float32", data: async function* () {} };
  expect(() => modelBytes(create(ModelProtoSchema), [weight])).toThrow(/ONNX file of 2\.0 GiB .* 2 GiB are its limit/);
  expect(() => modelBytes(create(ModelProtoSchema), [{ ...weight, type: "int8" }])).not.toThrow();
});
