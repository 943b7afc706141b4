/** ONNX Runtime as an executor. The only file that loads onnxruntime-node, and it does so when first used. */
import { createRequire } from "node:module";
import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-common";
import { fullDialect, undoingPasses, webgpuDialect } from "../onnx/dialect.ts";
import { badInput, TbarError } from "../tensor/error.ts";
import { sizeOf, type Tensor, type Weights } from "../tensor/tensor.ts";
import type { Executor, Feeds, Program } from "./executor.ts";
import { onnxRuntimePackage, version } from "./onnxruntime-package.ts";
import { adviceFor, missingDriver, outOfMemory, reasonOf } from "./reason.ts";
import { residentBuffers } from "./resident-buffers.ts";
import { residentLoop } from "./resident-loop.ts";

export const devices = ["cpu", "webgpu", "cuda", "dml", "coreml"] as const;
export type Device = (typeof devices)[number];

export interface RuntimeOptions {
  readonly device?: Device;
  /** Threads within an op; all cores unless told. */
  readonly threads?: number;
  /** What each op took is written to a file whose name begins so (ONNX Runtime adds the time), for each program when it is released. */
  readonly profile?: string;
}

/** onnxruntime-node: what onnxruntime-common declares, and the list of devices that its own library was built with. */
type Ort = typeof import("onnxruntime-common") & { listSupportedBackends(): readonly { readonly name: string }[] };

/** The library's folder, fetched if need be: also for a process that is to load it and cannot say so on stderr. */
export const prepareRuntime = (): Promise<string> => onnxRuntimePackage((text) => process.stderr.write(text));

function load(folder: string): Ort {
  try {
    return createRequire(import.meta.url)(folder);
  } catch (cause) {
    const why = String((cause as Error).message).split("\n")[0];
    throw new TbarError("unavailable", `ONNX Runtime cannot be loaded from ${folder} (${why})`, { cause });
  }
}

/** ONNX Runtime starts as many threads as it is told, each with a stack: 100,000 take gigabytes and no signal ends it. */
export const maxThreads = 512;

type Wrapped = Readonly<Record<string, OrtTensor>>;

/** An executor on one device. Throws `bad-input` on a number of threads that is none or above `maxThreads`, and `unavailable` with advice when ONNX Runtime or the device is missing. */
export async function onnxRuntime({ device = "cpu", threads, profile }: RuntimeOptions = {}): Promise<Executor> {
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= maxThreads))
    throw badInput(`${threads} threads; expected a whole number from 1 to ${maxThreads}`);
  const folder = await prepareRuntime();
  const ort = load(folder);
  ort.env.logLevel = "fatal"; // its own lines on stderr: errors are told by us
  const supported = ort.listSupportedBackends().map((backend) => backend.name);
  const refuse = (why: string) => new TbarError("unavailable", `device "${device}" ${why} --device cpu`);
  if (!supported.includes(device))
    throw refuse(`is not part of this build of ONNX Runtime (it has ${supported.join(", ")}); use`);
  const trouble = device === "cpu" ? undefined : await (await import("./device.ts")).deviceTrouble(folder, device);
  if (trouble !== undefined) throw refuse(`${missingDriver(device, trouble, version)}; until then use`);
  const options: InferenceSession.SessionOptions = {
    executionProviders: [device],
    ...(threads !== undefined && { intraOpNumThreads: threads }), // undefined is refused
    ...(profile !== undefined && { enableProfiling: true, profileFilePrefix: profile }),
    graphOptimizationLevel: "all",
    // from the second run on it takes one more block for all activations beside what the first has left in the arena; on other devices it was not tried without
    ...(device === "cpu" && { enableMemPattern: false }),
    ...(device === "webgpu" && { extra: { optimization: { disable_specified_optimizers: undoingPasses.join(";") } } }),
    logSeverityLevel: 4,
  };
  const wrap = (value: Feeds[string]): OrtTensor =>
    value.data instanceof Int32Array
      ? new ort.Tensor("int64", BigInt64Array.from(value.data, BigInt), value.shape)
      : new ort.Tensor("float32", value.data, value.shape);

  const open = async (onnx: Uint8Array | string, more: InferenceSession.SessionOptions = {}) => {
    const all = { ...options, ...more };
    const opening =
      typeof onnx === "string" ? ort.InferenceSession.create(onnx, all) : ort.InferenceSession.create(onnx, all);
    const session = await opening.catch((cause) => {
      throw refused(onnx, device, cause);
    });
    const results = Object.fromEntries(session.outputNames.map((name) => [name, null]));
    return {
      inputNames: session.inputNames,
      outputNames: session.outputNames,
      release: () => session.release(),
      run: (feeds: Wrapped, fetches: InferenceSession.FetchesType = results) =>
        session.run(feeds, fetches).catch((cause) => {
          throw refused(onnx, device, cause);
        }),
    };
  };

  async function compile(onnx: Uint8Array | string, fixed: Weights = new Map()): Promise<Program> {
    const externalData = [...fixed].map(([path, { data }]) => ({ path, data: bytesOf(data) }));
    const session = await open(onnx, typeof onnx === "string" ? {} : { externalData });
    const fed = session.inputNames;
    return {
      inputs: fed,
      outputs: session.outputNames,
      async run(feeds, into = {}, only = session.outputNames) {
        const missing = fed.find((name) => feeds[name] === undefined);
        if (missing !== undefined) throw new Error(`the program reads "${missing}", which was not fed`);
        const wrapped = Object.fromEntries(fed.map((name) => [name, wrap(feeds[name])]));
        const fetches = only.map((name) => [name, into[name] === undefined ? null : wrap(into[name])]);
        const results = await session.run(wrapped, Object.fromEntries(fetches));
        return Object.fromEntries(only.map((name) => [name, into[name] ?? unwrap(results[name])]));
      },
      release: session.release,
    };
  }

  const places: Partial<Record<Device, Executor["resident"]>> = {
    async webgpu() {
      const leaving = (onnx: Uint8Array, left: readonly string[]) =>
        open(onnx, { preferredOutputLocation: Object.fromEntries(left.map((name) => [name, "gpu-buffer"])) });
      return residentBuffers({ open: leaving, wrap, unwrap });
    },
    cuda: async () => residentLoop(compile),
  };
  return {
    description: `onnxruntime-node ${ort.env.versions.node ?? ort.env.versions.common} ${device}`,
    dialect: device === "webgpu" ? webgpuDialect : fullDialect,
    compile,
    resident: places[device],
  };
}

/** A file that cannot be run is its author's fault, want of memory or a device's nobody's, anything else ours. */
function refused(onnx: Uint8Array | string, device: Device, cause: unknown): Error {
  const reason = reasonOf(cause);
  if (typeof onnx === "string") return badInput(`${onnx} cannot be run: ${reason}`, cause);
  const message = `a program of tbar's cannot be run on ${device}: ${reason}`;
  if (device !== "cpu") return new TbarError("unavailable", `${message}; ${adviceFor(reason)}`, { cause });
  return reason === outOfMemory ? new TbarError("unavailable", message, { cause }) : new Error(message, { cause });
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) => new Uint8Array(buffer, byteOffset, byteLength);

function unwrap(value: OrtTensor): Tensor {
  const data = value.data as Float32Array;
  const shape = [...value.dims];
  return { shape, data: data.length === sizeOf(shape) ? data : data.slice(0, sizeOf(shape)) };
}
