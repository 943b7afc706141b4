import { expect, test } from "vitest";
import { adviceFor, deviceLost, missingDriver, outOfMemory, reasonOf } from "./reason.ts";

test.each([
  ["bad allocation: std::bad_alloc", outOfMemory],
  ["BFC Arena ran out of memory trying to allocate 1073741824 bytes", outOfMemory],
  ["webgpu/buffer_manager.cc:91 Failed to create GPU buffer: size=4294967296", outOfMemory],
  ["VK_ERROR_OUT_OF_DEVICE_MEMORY", outOfMemory],
  ["CUDA failure 2: out of memory ; GPU=0 ; hostname=h", outOfMemory],
  ["CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED", outOfMemory],
  ["WebGPU device lost (2): the driver was reset", deviceLost],
  ["VK_ERROR_DEVICE_LOST", deviceLost],
  ["CUDA failure 700: an illegal memory access was encountered", deviceLost],
])("of %j the reason is %j, and the advice says what to do", (said, reason) => {
  expect(reasonOf(new Error(said))).toBe(reason);
  expect(adviceFor(reason)).toMatch(reason === outOfMemory ? /smaller --batch/ : /run it again/);
});

test("of any other failure the advice is the CPU", () => {
  expect(adviceFor(reasonOf(new Error("something else")))).toBe("use --device cpu");
});

test.each([
  ["webgpu", "Failed to get a WebGPU adapter: No supported adapters", /no GPU driver .*mesa-vulkan-drivers/],
  [
    "cuda",
    "Failed to load shared library",
    /lacks its files .*ONNXRUNTIME_NODE_INSTALL=cuda12 npm install onnxruntime-node@9\.9/,
  ],
  [
    "cuda",
    "libcudnn.so.9: cannot open shared object file: No such file",
    /lacks a library of NVIDIA's .*LD_LIBRARY_PATH/,
  ],
  ["cuda", "CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version", /update NVIDIA's driver/],
  ["coreml", "what nobody foresaw", /^cannot be used here \(what nobody foresaw\)$/],
])("%s, which says %j", (device, said, sentence) => {
  expect(missingDriver(device, said, "9.9")).toMatch(sentence);
});
