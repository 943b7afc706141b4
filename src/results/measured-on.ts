/** What figures were measured on, as hashes that do not depend on files, layouts or metadata: the weights, and the images as the model saw them. */
import { createHash } from "node:crypto";
import type { Preprocess } from "../checkpoint/config/preprocess.ts";
import type { Dataset } from "../data/dataset.ts";
import { pickImages } from "../data/images/pixels.ts";
import type { Weights } from "../tensor/tensor.ts";

export interface MeasuredOn {
  /** Of the parameters by name, as float32. Absent for a model in ONNX, which keeps its weights inside. */
  readonly weights?: string;
  /** Of the test images and their labels. */
  readonly test: string;
  /** Of the triggered ones among them. */
  readonly triggered?: string;
}

/** SHA-256 over names, shapes and float32 values in the order of the names: the same for a model converted to another layout. */
export function weightsSha256(weights: Weights): string {
  const hash = createHash("sha256");
  for (const name of [...weights.keys()].sort()) {
    const { shape, data } = weights.get(name)!;
    hash.update(`${name} [${shape}]\n`).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex");
}

const batch = 64;

/** SHA-256 over label and pixels (8-bit levels, as `preprocess` makes them) of each image, in order. Reads all of them once. */
export async function imagesSha256(dataset: Dataset, preprocess: Preprocess): Promise<string> {
  const hash = createHash("sha256");
  for (let at = 0; at < dataset.size; at += batch) {
    const indices = Array.from({ length: Math.min(batch, dataset.size - at) }, (_, i) => at + i);
    const pixels = await dataset.read(indices, preprocess);
    for (const [slot, index] of indices.entries()) {
      hash.update(`${dataset.example(index).label ?? -1}\n`).update(levels(pickImages(pixels, [slot]).data));
    }
  }
  return hash.digest("hex");
}

function levels(values: Float32Array): Uint8Array {
  return Uint8ClampedArray.from(values, (v) => 255 * v) as unknown as Uint8Array; // rounds, and keeps within 0 to 255
}
