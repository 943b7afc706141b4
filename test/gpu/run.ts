/**
 * npm run test:gpu: a device against the CPU. WebGPU runs on the machine's own Vulkan driver or a software one (Mesa's lavapipe, SwiftShader as
 * Chromium brings it), which is named in the environment before the tests' processes start; `-- cuda` asks for CUDA, its products in float32.
 * Where the device cannot be used the tests are skipped by name.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { deviceTrouble } from "../../src/runtime/device.ts";
import { onnxRuntimePackage } from "../../src/runtime/onnxruntime-package.ts";

interface Driver {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
}

/** A manifest of a Vulkan driver, and where libvulkan.so.1 lies beside it. */
const driver = (name: string, manifest: string, libraries?: string): Driver => ({
  name,
  env: {
    VK_DRIVER_FILES: manifest,
    VK_ICD_FILENAMES: manifest, // for loaders before 1.3.207
    ...(libraries && { LD_LIBRARY_PATH: libraries }),
  },
});

const device = process.argv[2] ?? "webgpu";

const systemWide = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"].filter((folder) => existsSync(folder));
const lavapipe = systemWide.flatMap((folder) =>
  readdirSync(folder)
    .filter((file) => file.startsWith("lvp_"))
    .map((file) => driver("Mesa's lavapipe", join(folder, file))),
);
const chromium = ["/usr/lib/chromium", "/usr/lib/chromium-browser", "/opt/google/chrome"]
  .map((folder) => join(folder, "vk_swiftshader_icd.json"))
  .filter((file) => existsSync(file))
  .map((file) => driver(`SwiftShader of ${dirname(file)}`, file, dirname(file)));
/** Elsewhere than on Linux a driver belongs to the system; there a GPU shows as a device file. */
const hasGpu =
  process.platform !== "linux" || ["/dev/dri", "/dev/nvidia0", "/dev/dxg"].some((file) => existsSync(file));
const own: Driver[] = hasGpu ? [{ name: "this machine's GPU", env: {} }] : [];
const cuda: Driver = { name: "CUDA", env: { NVIDIA_TF32_OVERRIDE: "0" } };
const drivers = device === "cuda" ? [cuda] : [...own, ...lavapipe, ...chromium];

const folder = await onnxRuntimePackage((text) => process.stderr.write(text));
let found: Driver | undefined;
let why = "none is installed";
for (const candidate of drivers) {
  const trouble = await deviceTrouble(folder, device, candidate.env);
  if (trouble === undefined) {
    found = candidate;
    break;
  }
  why = trouble;
}
console.log(
  found === undefined
    ? `${device} cannot be used: ${why}. Skipped${device === "webgpu" ? "; a software driver comes with mesa-vulkan-drivers or Chromium" : ""}`
    : `${device} on ${found.name}`,
);
const vitest = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");
const env = { ...process.env, ...found?.env, TBAR_GPU: found?.name ?? "", TBAR_GPU_DEVICE: device };
const { status } = spawnSync(process.execPath, [vitest, "run", "test/gpu"], { stdio: "inherit", env });
process.exit(status ?? 1);
