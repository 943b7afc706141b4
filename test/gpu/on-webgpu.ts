/** What the tests on WebGPU share. `npm run test:gpu` looks for a driver; elsewhere they are skipped by name. */
import { describe } from "vitest";
import { createRuntime, type Runtime } from "../../src/runtime/compile.ts";
import { onnxRuntime } from "../../src/runtime/onnxruntime.ts";

export const describeGpu = describe.skipIf(!process.env.TBAR_GPU);

/** Both, one thread each. */
export async function runtimes(): Promise<{ cpu: Runtime; gpu: Runtime }> {
  const [cpu, gpu] = await Promise.all([onnxRuntime({ threads: 1 }), onnxRuntime({ threads: 1, device: "webgpu" })]);
  return { cpu: createRuntime(cpu), gpu: createRuntime(gpu) };
}

/** The largest difference, as a share of the largest value wanted. */
export function apart(found: Float32Array, wanted: Float32Array): number {
  if (found.length !== wanted.length) return Number.POSITIVE_INFINITY;
  const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
  const worst = wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i])), 0);
  return found.every(Number.isFinite) ? worst / largest : Number.POSITIVE_INFINITY;
}
