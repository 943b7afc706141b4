/** What ONNX Runtime says of a failure, as a sentence of ours: its own text names files of its source, and repeats what a model calls itself. */
import { printable } from "../tensor/printable.ts";

export const outOfMemory = "it asks for more memory than there is";
export const deviceLost = "the device was lost: its driver was reset, or another program took it down";

const told: readonly (readonly [RegExp, (...found: string[]) => string])[] = [
  [
    /bad_alloc|Failed to allocate memory|out.of.(?:device.|host.)?memory|Failed to create GPU buffer|ALLOC_FAILED|MemoryAllocation/i,
    () => outOfMemory,
  ],
  [/device(?: was| is)? lost|is lost|DEVICE_LOST|CUDA failure \d+|cudaError/i, () => deviceLost],
  [/protobuf parsing failed|does not have a graph/i, () => "it is no ONNX model"],
  [
    /IR version|under development|opset \d+.*not supported/i,
    () => "it is written for another ONNX than this ONNX Runtime reads",
  ],
  [/No Op registered for (\w+)/, (op) => `ONNX Runtime does not know its operator ${op}`],
  [/(\w+)\(-?\d+\) is not a registered function\/op/, (op) => `ONNX Runtime does not know its operator ${op}`],
  [
    /Could not find an implementation for (\w+)/,
    (op) => `ONNX Runtime cannot compute its operator ${op} on this device`,
  ],
  [/external.?(data|initializer)/i, () => "the file of its weights cannot be used"],
  [/running (\w+) node\. Name:\s?'([^']*)'/, (op, name) => `its operator ${op}${name && ` "${name}"`} failed`],
  [
    /Node \(([^)]*)\) Op \((\w+)\)/,
    (name, op) => `its operator ${op}${name && ` "${name}"`} does not fit what it reads`,
  ],
  [/of operator \((\w+)\) in node/, (op) => `its operator ${op} does not fit what it reads`],
  [/Node input '([^']*)' is not/, (input) => `an operator reads "${input}", which nothing gives`],
  [/Got invalid dimensions for input: (\S+)/, (input) => `its input ${input} has another shape`],
  [/Unexpected input data type/, () => "one of its inputs has another type"],
  [/Missing Input: (\S+)/, (input) => `it needs the input ${input}`],
];

/** The reason, for the end of a message such as `model.onnx cannot be run: ...`. */
export function reasonOf(error: unknown): string {
  const text = String((error as Error)?.message ?? error).slice(0, 4000);
  for (const [pattern, sentence] of told) {
    const found = pattern.exec(text);
    if (found !== null) return sentence(...found.slice(1).map((part) => printable(part, 60)));
  }
  return "ONNX Runtime refuses it";
}

/** What to do about a failure on a device other than the CPU. */
export function adviceFor(reason: string): string {
  if (reason === outOfMemory) return "take a smaller --batch, close what else uses the device, or use --device cpu";
  if (reason === deviceLost) return "run it again (with --state it goes on where it was), or use --device cpu";
  return "use --device cpu";
}

/** Why a device cannot be opened, with what would help, of what ONNX Runtime says when it cannot. */
export function missingDriver(device: string, said: string, version: string): string {
  if (/No supported adapters|WebGPU adapter|Vulkan/i.test(said))
    return `finds no GPU driver (${said}); install your GPU's own, on Linux the one for Vulkan (for NVIDIA nvidia-driver, else mesa-vulkan-drivers)`;
  if (device === "cuda" && /Failed to load shared library|providers_cuda|providers_shared/i.test(said))
    return `lacks its files (${said}); fetch them with ONNXRUNTIME_NODE_INSTALL=cuda12 npm install onnxruntime-node@${version}, and install CUDA 12 and cuDNN 9`;
  if (device === "cuda" && /cudnn|cublas|cudart|cufft|curand/i.test(said))
    return `lacks a library of NVIDIA's (${said}); install CUDA 12 and cuDNN 9, and name their folder in LD_LIBRARY_PATH`;
  if (device === "cuda" && /driver version|no CUDA-capable|CUDA failure/i.test(said))
    return `finds no GPU that it can use (${said}); install or update NVIDIA's driver (nvidia-smi shows it)`;
  return `cannot be used here (${said})`;
}
