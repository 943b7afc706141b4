import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { deviceTrouble, ortReason } from "./device.ts";
import { onnxRuntime } from "./onnxruntime.ts";
import { onnxRuntimePackage } from "./onnxruntime-package.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-device-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A package whose sessions are opened by this code; it prints as drivers do. */
async function runtimeThat(does: string): Promise<string> {
  const file = join(folder, `${does.length}.cjs`);
  const create = `async (model, { executionProviders: [device] }) => { console.log("noise"); console.error("noise"); ${does} }`;
  await writeFile(file, `exports.InferenceSession = { create: ${create} };\n`);
  return file;
}

test("a device that works is no trouble: the CPU, in earnest", async () => {
  expect(await deviceTrouble(await onnxRuntimePackage(() => {}), "cpu")).toBeUndefined();
});

test("one that does not says why, and one that takes its process down does not take ours", async () => {
  const failing = await runtimeThat('throw new Error("no " + device + " here\\nmore")');
  expect(await deviceTrouble(failing, "webgpu")).toBe("no webgpu here");
  expect(await deviceTrouble(await runtimeThat("process.abort()"), "cuda")).toBe("ONNX Runtime ended with SIGABRT");
  expect(await deviceTrouble(await runtimeThat("process.exit(3)"), "cuda")).toBe("ONNX Runtime ended with status 3");
});

test.each([
  [
    "/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 onnxruntime::webgpu::WebGpuContext::Initialize(const onnxruntime::webgpu::WebGpuContextConfig&)::<lambda()> adapter_result.status == wgpu::RequestAdapterStatus::Success was false. Failed to get a WebGPU adapter: No supported adapters\n",
    "Failed to get a WebGPU adapter: No supported adapters",
  ],
  ["OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library", "Failed to load shared library"],
  [
    "Failed to load model with error: /onnxruntime_src/onnxruntime/core/graph/model.cc:179 onnxruntime::Model::Model(onnx::ModelProto&&, const onnxruntime::PathString&, const onnxruntime::logging::Logger&) Unsupported model IR version: 10, max supported IR version: 9\n",
    "Failed to load model with error: Unsupported model IR version: 10, max supported IR version: 9",
  ],
  [
    "Non-zero status code returned while running MatMul node. Name:'mul' Status Message: /onnxruntime_src/onnxruntime/core/providers/cpu/math/matmul_helper.h:61 onnxruntime::common::Status onnxruntime::MatMulComputeHelper::Compute(const onnxruntime::TensorShape&, bool) const Left shape (2, 3) and right shape (4, 5) do not fit",
    "Non-zero status code returned while running MatMul node. Name:'mul' Status Message: Left shape (2, 3) and right shape (4, 5) do not fit",
  ],
  ["plain words (and brackets) stay", "plain words (and brackets) stay"],
])("of %j the reason is kept", (message, reason) => {
  expect(ortReason(message)).toBe(reason);
});

test.each([0, 1.5, -1, 513, 100_000, Number.NaN])("%d threads are refused before any is started", async (threads) => {
  await expect(onnxRuntime({ threads })).rejects.toThrow("threads; expected a whole number from 1 to 512");
});
