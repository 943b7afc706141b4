/** Values that stay and change from step to step: through ONNX's Loop, and in buffers (here the CPU's own). */
import { createRequire } from "node:module";
import { afterEach, expect, test } from "vitest";
import { input } from "../graph/node.ts";
import { add, gather, mul, reduceSum, scale, sub } from "../graph/ops/index.ts";
import { fullDialect } from "../onnx/dialect.ts";
import { next } from "../onnx/loop.ts";
import { intTensor, tensor } from "../tensor/tensor.ts";
import { createRuntime, type ResidentValues } from "./compile.ts";
import type { Resident } from "./executor.ts";
import { onnxRuntime } from "./onnxruntime.ts";
import { residentBuffers } from "./resident-buffers.ts";
import { residentLoop } from "./resident-loop.ts";

const cpu = await onnxRuntime({ threads: 1 });
const ort: typeof import("onnxruntime-common") = createRequire(import.meta.url)("onnxruntime-node");

const ways: Readonly<Record<string, () => Resident>> = {
  loop: () => residentLoop(cpu.compile),
  buffers: () =>
    residentBuffers({
      open: (onnx) => ort.InferenceSession.create(onnx, { logSeverityLevel: 4 }) as never,
      wrap: ({ data, shape }) =>
        data instanceof Float32Array
          ? new ort.Tensor("float32", data, shape)
          : new ort.Tensor("int64", BigInt64Array.from(data, BigInt), shape),
      unwrap: ({ data, dims }) => ({ data: data as Float32Array, shape: dims }),
    }),
};

let place: ResidentValues | undefined;
afterEach(() => place?.release());

/** w <- w - rate (w + x + b[i]), with b that stays; a result besides: sum w x. */
const step = (rows: number) => {
  const [w, b, x] = [input("w", [2]), input("b", [3, 2]), input("x", [rows, 2])];
  const [i, rate] = [input("i", [1], "int"), input("rate", [])];
  const whole = add(add(w, reduceSum(x, [0])), reduceSum(gather(b, i), [0]));
  return { [next("w")]: sub(w, mul(rate, whole)), product: reduceSum(mul(w, reduceSum(x, [0]))), twice: scale(x, 2) };
};
const fed = (x: number[], i: number, rate: number) => ({
  x: tensor([x.length / 2, 2], x),
  i: intTensor([1], [i]),
  rate: tensor([], [rate]),
});

test.each(Object.keys(ways))(
  "%s: values change step by step, others stay; each step gives its results",
  async (way) => {
    const start = new Map([
      ["w", tensor([2], [1, 2])],
      ["b", tensor([3, 2], [0, 0, 1, 1, 2, 2])],
    ]);
    place = await createRuntime({ ...cpu, resident: async () => ways[way]() }).resident?.();
    if (place === undefined) throw new Error("no place");
    await place.write(start);
    const one = await place.compile(step(1));
    const results = await one([fed([1, 1], 0, 0.5), fed([2, 0], 1, 0.25)]);
    // w = (1, 2): (1 - (1+1+0)/2, 2 - (2+1+0)/2) = (0, 1/2); then (0 - (0+2+1)/4, 1/2 - (1/2+0+1)/4) = (-3/4, 1/8)
    expect(results.map(({ product }) => [product.shape, ...product.data])).toEqual([
      [[], 3],
      [[], 0],
    ]);
    expect(results.map(({ twice }) => [twice.shape, ...twice.data])).toEqual([[[1, 2], 2, 2], [[1, 2], 4, 0]]); // biome-ignore format: rows
    expect([...((await place.read(["w"])).get("w")?.data ?? [])]).toEqual([-0.75, 0.125]);

    // another program goes on from there, and so does what is written
    const two = await place.compile(step(2));
    await two([fed([1, 0, 0, 1], 0, 1)]);
    expect([...((await place.read(["w"])).get("w")?.data ?? [])]).toEqual([-1, -1]);
    await place.write(new Map([["w", tensor([2], [4, 4])]]));
    for (let n = 0; n < 3; n++) await one([fed([0, 0], 0, 0.5)]);
    const read = await place.read(["w", "b"]);
    expect([...(read.get("w")?.data ?? [])]).toEqual([0.5, 0.5]);
    expect([...(read.get("b")?.data ?? [])]).toEqual([0, 0, 1, 1, 2, 2]);
    expect([...(start.get("w")?.data ?? [])]).toEqual([1, 2]); // what was given stays as it was
  },
);

test("an executor without such a place gives none", () => {
  expect(createRuntime({ description: "", dialect: fullDialect, compile: cpu.compile }).resident).toBeUndefined();
  expect(createRuntime(cpu).resident).toBeUndefined();
});
