/** What the pickle of a PyTorch file may name. */
import type { Dtype } from "./safetensors-header.ts";

/** Storages, and what their values are. */
export const STORAGES: ReadonlyMap<string, Dtype> = new Map([
  ["torch FloatStorage", "F32"],
  ["torch HalfStorage", "F16"],
  ["torch BFloat16Storage", "BF16"],
  ["torch DoubleStorage", "F64"],
  ["torch LongStorage", "I64"],
  ["torch IntStorage", "I32"],
  ["torch ShortStorage", "I16"],
  ["torch CharStorage", "I8"],
  ["torch ByteStorage", "U8"],
  ["torch BoolStorage", "BOOL"],
]);

export const TENSOR = "torch._utils _rebuild_tensor_v2";
export const PARAMETER = "torch._utils _rebuild_parameter";
export const ORDERED_DICT = "collections OrderedDict";

/** All that weights, and the rest of a training checkpoint, may name. None of it is ever called. */
const KNOWN: ReadonlySet<string> = new Set([
  ...STORAGES.keys(),
  TENSOR,
  PARAMETER,
  ORDERED_DICT,
  "torch Size",
  "torch device",
  ...["float32", "float16", "bfloat16", "float64", "int64", "int32", "int16", "int8", "uint8", "bool"].map(
    (name) => `torch ${name}`,
  ),
  ...["restore_type_tag", "build_intlist", "build_doublelist", "build_boollist", "build_tensorlist"].map(
    (name) => `torch.jit._pickle ${name}`,
  ),
  "_codecs encode", // bytes, as protocol 2 writes them
  "argparse Namespace", // a training script's arguments
  "numpy dtype", // a best accuracy that numpy computed
  "numpy.core.multiarray scalar",
  "numpy._core.multiarray scalar",
]);

/** Whether a name is one that weights need: of the list above, or a module's class in TorchScript. */
export const isKnownName = (name: string): boolean => KNOWN.has(name) || /^__torch__(\.\w+)+ \w+$/.test(name);
