/** Values as a file will hold them: half precision can undo a small vector, so what is measured must be what is stored. */
import type { Tensor, Weights } from "../tensor/tensor.ts";
import { decodeBF16, decodeF16, encodeBF16, encodeF16 } from "./formats/half.ts";
import type { Dtype } from "./formats/safetensors-header.ts";

/** Each tensor rounded to its stored dtype and back; those of 32 bits and more, and those `keep` names, are shared. */
export function asStored(weights: Weights, dtypes: ReadonlyMap<string, Dtype>, keep?: Weights): Weights {
  const rounded = ([name, value]: [string, Tensor]): [string, Tensor] => {
    if (keep?.get(name) === value) return [name, value];
    const dtype = dtypes.get(name);
    if (dtype === "F16") return [name, { shape: value.shape, data: decodeF16(encodeF16(value.data)) }];
    if (dtype === "BF16") return [name, { shape: value.shape, data: decodeBF16(encodeBF16(value.data)) }];
    return [name, value];
  };
  return new Map([...weights].map(rounded));
}
