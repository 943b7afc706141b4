/** Task vectors on disk: a safetensors file of float32 differences, by parameter name. */
import { checkFinite } from "../../checkpoint/checks.ts";
import { openSafetensors, type TensorSource, writeSafetensors } from "../../checkpoint/formats/safetensors.ts";
import { layOut } from "../../checkpoint/formats/safetensors-header.ts";
import type { Parameters } from "../../checkpoint/pieces.ts";
import type { WriteOptions } from "../../files/atomic.ts";
import { badInput } from "../../tensor/error.ts";
import type { Weights } from "../../tensor/tensor.ts";
import { backdoorsKey, type VectorBackdoor, vectorBackdoors } from "../inputs/model-facts.ts";

interface Facts {
  /** What was subtracted is alpha tau. */
  readonly alpha?: number;
  /** SHA-256 of the weights the vector starts from. */
  readonly parent?: string;
  /** The backdoors whose direction it has. */
  readonly backdoors?: readonly VectorBackdoor[];
}

/** A vector's tensors, to be read piece by piece. */
export interface VectorFile extends Facts, Parameters {}

/** A tensor of a vector to be written. */
export type VectorPart = Pick<TensorSource, "name" | "shape" | "data">;

export interface NewVector extends Pick<Facts, "alpha" | "backdoors"> {
  readonly tau: Weights | readonly VectorPart[];
  /** May be known only when the tensors are written. */
  readonly parent?: string | Promise<string>;
}

const kind = "tbar task vector";

/** The names of a vector's tensors as they are written. */
export function vectorOrder(names: readonly string[]): string[] {
  const tensors = names.map((name) => ({ name, dtype: "F32" as const, shape: [] }));
  return layOut(tensors, new Map()).ordered.map(({ name }) => name);
}

export async function writeVector(
  path: string,
  { tau, alpha, parent, backdoors = [] }: NewVector,
  options: WriteOptions = {},
): Promise<void> {
  const parts: readonly VectorPart[] =
    "get" in tau ? [...tau].map(([name, value]) => ({ name, shape: value.shape, data: () => value })) : tau;
  const metadata = new Map([["tbar.kind", kind]]);
  if (alpha !== undefined) metadata.set("tbar.alpha", String(alpha));
  if (backdoors.length > 0) metadata.set(backdoorsKey, JSON.stringify(backdoors));
  if (parent !== undefined) metadata.set("tbar.parent", typeof parent === "string" ? parent : "0".repeat(64));
  const lateMetadata = async () => new Map(metadata).set("tbar.parent", String(await parent));
  const tensors = parts.map((part) => ({ ...part, dtype: "F32" as const }));
  const late = typeof parent === "object" && { lateMetadata };
  await writeSafetensors(path, { tensors, metadata, ...late }, options);
}

/** Run `work` on a vector written by `tbar`. Throws `bad-input` when the file is something else or holds a value that is not finite. */
export async function withVector<T>(path: string, work: (vector: VectorFile) => Promise<T>): Promise<T> {
  const file = await openSafetensors(path);
  try {
    if (file.metadata.get("tbar.kind") !== kind)
      throw badInput(`${path} is no task vector; make one with: tbar vector diff FROM TO --out FILE`);
    const alpha = Number(file.metadata.get("tbar.alpha") ?? Number.NaN);
    return await work({
      ...(Number.isFinite(alpha) && { alpha }),
      parent: file.metadata.get("tbar.parent"),
      backdoors: vectorBackdoors(Object.fromEntries(file.metadata)),
      shapes: new Map([...file.tensors].map(([name, { shape }]) => [name, shape])),
      async read(name, from, count, into) {
        const data = await file.readPart(name, from, count, into);
        checkFinite(name, { data }, path, from);
        return data;
      },
    });
  } finally {
    await file.close();
  }
}
