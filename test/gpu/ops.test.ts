/** Each op of the table, forward and gradient, on a device as on the CPU; and no op of ours is left to the CPU without our knowing. */
import { createRequire } from "node:module";
import { afterAll, beforeAll, expect, test } from "vitest";
import { grad } from "../../src/graph/grad.ts";
import { input, type Node } from "../../src/graph/node.ts";
import { makeNode, opTable } from "../../src/graph/op.ts";
import { mul, reduceSum } from "../../src/graph/ops/index.ts";
import { simplify } from "../../src/graph/simplify.ts";
import { lowered } from "../../src/onnx/dialect.ts";
import { emit } from "../../src/onnx/emit.ts";
import type { Runtime } from "../../src/runtime/compile.ts";
import type { Executor } from "../../src/runtime/executor.ts";
import { random } from "../../src/tensor/random.ts";
import { type IntTensor, type Tensor, tensor } from "../../src/tensor/tensor.ts";
import { apart, describeGpu, device, gpuName, runtimes } from "./on-device.ts";

let cpu: Runtime;
let gpu: Runtime;
let executor: Executor;

/** Indices are integers, which WebGPU does not reshape: a few bytes, and on the CPU to begin with. */
const reshapesIndices = new Set(["Gather gradient", "ScatterRows forward", "ScatterND gradient"]);

describeGpu(`ops on ${gpuName}`, () => {
  beforeAll(async () => {
    ({ cpu, gpu, executor } = await runtimes());
  });
  afterAll(() => Promise.all([cpu.release(), gpu.release()]));

  for (const [op, { check }] of opTable()) {
    check.forEach((sample, n) => {
      const [low, high] = sample.range ?? [-1, 1];
      const rng = random(n, op);
      const isIndex = (i: number) => i in (sample.indices ?? {});
      const x = sample.shapes.map((shape, i) => input(`x${i}`, shape, isIndex(i) ? "int" : "float32"));
      const y = makeNode(op, x, sample.attrs ?? {});
      const feeds: Record<string, Tensor | IntTensor> = { c: tensor(y.shape) };
      rng.fillUniform((feeds.c as Tensor).data);
      x.forEach(({ shape }, i) => {
        const value = tensor(shape);
        const bound = sample.indices?.[i];
        for (const k of value.data.keys())
          value.data[k] = bound === undefined ? low + (high - low) * rng.uniform() : rng.int(bound);
        feeds[`x${i}`] = bound === undefined ? value : { shape, data: Int32Array.from(value.data) };
      });
      const floats = x.filter(({ dtype }) => dtype === "float32");
      const gradients = grad(reduceSum(mul(y, input("c", y.shape))), floats);
      const programs = {
        forward: { y },
        gradient: Object.fromEntries(gradients.map((g, i) => [`gradient ${i}`, g])),
      };
      const title = `${sample.shapes.map((shape) => `[${shape}]`).join(" ")} ${JSON.stringify(sample.attrs ?? {})}`;

      for (const [what, outputs] of Object.entries<Record<string, Node>>(programs)) {
        // sums of a few dozen terms of order 1, in another order; quotients and powers within a few units of the last place
        test(`${op} ${what} of ${title} is the CPU's within 1e-5`, async () => {
          const [wanted, found] = [await cpu.compile(outputs), await gpu.compile(outputs)];
          const [a, b] = [await wanted.run(feeds), await found.run(feeds)];
          for (const name of Object.keys(outputs)) expect(apart(b[name].data, a[name].data)).toBeLessThan(1e-5);
        });

        if (reshapesIndices.has(`${op} ${what}`)) continue;
        test(`${op} ${what} of ${title} stays on the device`, async () => {
          const roots = lowered(simplify(Object.values(outputs)), executor.dialect);
          const named = Object.fromEntries(Object.keys(outputs).map((name, i) => [name, roots[i]]));
          await expect(onDeviceAlone(emit(named))).resolves.toBeUndefined();
        });
      }
    });
  }
});

/** Opens a session that may leave nothing to the CPU. */
async function onDeviceAlone(onnx: Uint8Array): Promise<void> {
  const { InferenceSession } = createRequire(import.meta.url)("onnxruntime-node");
  const extra = { session: { disable_cpu_ep_fallback: "1" } };
  const session = await InferenceSession.create(onnx, { executionProviders: [device], logSeverityLevel: 4, extra });
  await session.release();
}
