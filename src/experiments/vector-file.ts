/** Task vectors on disk: a safetensors file of float32 differences, by parameter name. */
import type { WriteOptions } from "../checkpoint/atomic.ts";
import { openSafetensors, writeSafetensors } from "../checkpoint/safetensors.ts";
import { badInput } from "../tensor/error.ts";
import type { Tensor, Weights } from "../tensor/tensor.ts";

export interface VectorFile {
  readonly tau: Weights;
  /** What was subtracted is alpha tau. */
  readonly alpha?: number;
  /** SHA-256 of the weights the vector starts from. */
  readonly parent?: string;
}

const kind = "tbar task vector";

export async function writeVector(
  path: string,
  { tau, alpha, parent }: VectorFile,
  options: WriteOptions = {},
): Promise<void> {
  const tensors = [...tau].map(([name, value]) => ({
    name,
    dtype: "F32" as const,
    shape: value.shape,
    data: () => value,
  }));
  const metadata = new Map([["tbar.kind", kind]]);
  if (alpha !== undefined) metadata.set("tbar.alpha", String(alpha));
  if (parent !== undefined) metadata.set("tbar.parent", parent);
  await writeSafetensors(path, { tensors, metadata }, options);
}

/** A vector written by `tbar`. Throws `bad-input` when the file is something else. */
export async function readVector(path: string): Promise<VectorFile> {
  const file = await openSafetensors(path);
  try {
    if (file.metadata.get("tbar.kind") !== kind) {
      throw badInput(`${path} is no task vector; make one with: tbar vector diff FROM TO --out FILE`);
    }
    const tau = new Map<string, Tensor>();
    for (const name of file.tensors.keys()) {
      const value = await file.read(name);
      if (value.data.some((v) => !Number.isFinite(v)))
        throw badInput(`${path}: ${name} holds a value that is not finite`);
      tau.set(name, value);
    }
    const alpha = Number(file.metadata.get("tbar.alpha") ?? Number.NaN);
    return { tau, ...(Number.isFinite(alpha) && { alpha }), parent: file.metadata.get("tbar.parent") };
  } finally {
    await file.close();
  }
}
