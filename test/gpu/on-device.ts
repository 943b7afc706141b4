/** What the tests on a device share. `npm run test:gpu` looks whether it can be used; elsewhere they are skipped by name. */
import { describe } from "vitest";
import { createRuntime, type Runtime } from "../../src/runtime/compile.ts";
import type { Executor } from "../../src/runtime/executor.ts";
import { type Device, onnxRuntime } from "../../src/runtime/onnxruntime.ts";

/** Where the tests run: webgpu, or what TBAR_GPU_DEVICE names. */
export const device = (process.env.TBAR_GPU_DEVICE ?? "webgpu") as Device;

/** TBAR_GPU is what the device is called. */
export const describeGpu = describe.skipIf(!process.env.TBAR_GPU);
export const gpuName = process.env.TBAR_GPU || device;

/** Both, one thread each. */
export async function runtimes(): Promise<{ cpu: Runtime; gpu: Runtime; executor: Executor }> {
  const [cpu, executor] = await Promise.all([onnxRuntime({ threads: 1 }), onnxRuntime({ threads: 1, device })]);
  return { cpu: createRuntime(cpu), gpu: createRuntime(executor), executor };
}

/** The largest difference, as a share of the largest value wanted. */
export function apart(found: Float32Array, wanted: Float32Array): number {
  if (found.length !== wanted.length) return Number.POSITIVE_INFINITY;
  const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
  const worst = wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i])), 0);
  return found.every(Number.isFinite) ? worst / largest : Number.POSITIVE_INFINITY;
}
