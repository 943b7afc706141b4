import { fromBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";
import { expect, test } from "vitest";
import { input } from "../graph/node.ts";
import { add } from "../graph/ops/index.ts";
import { createRuntime } from "../runtime/compile.ts";
import { onnxRuntime } from "../runtime/onnxruntime.ts";
import { tensor } from "../tensor/tensor.ts";
import { emit } from "./emit.ts";

const x = input("x", [2]);
const y = add(x, x);

test("a result is written under its own name, without a copy, also where another node reads it", () => {
  const { graph } = fromBinary(ModelProtoSchema, emit({ twice: y, thrice: add(y, x) }));
  expect(graph?.node.map(({ opType, output }) => [opType, ...output])).toEqual([
    ["Add", "twice"],
    ["Add", "thrice"],
  ]);
});

test("one node under two names, and an input as a result", async () => {
  const runtime = createRuntime(await onnxRuntime({ threads: 1 }));
  const program = await runtime.compile({ once: x, twice: y, again: y });
  const results = await program.run({ x: tensor([2], [1, 3]) });
  expect(Object.entries(results).map(([name, { data }]) => [name, ...data])).toEqual([
    ["once", 1, 3],
    ["twice", 2, 6],
    ["again", 2, 6],
  ]);
  await runtime.release();
});
