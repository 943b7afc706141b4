/** Task vectors between files: made from two checkpoints, applied to one, described and compared. */
import { stat } from "node:fs/promises";
import { add, dot, norm, taskVector } from "../arithmetic/task-vector.ts";
import { refuseExisting } from "../checkpoint/atomic.ts";
import { readCheckpoint, writeCheckpoint } from "../checkpoint/clip-folder.ts";
import { badInput, TbarError } from "../tensor/error.ts";
import { sameShape, type Tensor, type Weights } from "../tensor/tensor.ts";
import { type JobOptions, silent } from "./job.ts";
import { receiptKey } from "./model-facts.ts";
import { readVector, writeVector } from "./vector-file.ts";

export interface VectorJob extends Pick<JobOptions, "progress" | "signal"> {
  readonly force?: boolean;
}

export interface VectorResult {
  readonly kind: "vector";
  readonly path: string;
  /** Bytes of the file. */
  readonly bytes: number;
  /** What a cleaning subtracted is alpha tau. */
  readonly alpha?: number;
  /** SHA-256 of the weights that the vector starts from. */
  readonly parent?: string;
  /** Tensors that the vector changes, values in them, and their L2 norm. */
  readonly tensors: number;
  readonly values: number;
  readonly norm: number;
  /** The same by part of the model, in the order of the file. */
  readonly groups: readonly { readonly name: string; readonly values: number; readonly norm: number }[];
}

/** tau = TO - FROM in float32, written to `out`; tensors that do not differ are left out. Throws `bad-input` when none does. */
export async function diffModels(
  from: string,
  to: string,
  out: string,
  { force, progress = silent, signal }: VectorJob = {},
): Promise<VectorResult> {
  await refuseExisting(out, { force });
  progress.stage("subtract");
  const [a, b] = [await readCheckpoint(from), await readCheckpoint(to)];
  const extra = [...b.dtypes.keys()].find((name) => !a.dtypes.has(name));
  if (extra !== undefined)
    throw badInput(`${from} has no ${extra}, which ${to} has; only models of one architecture differ`);
  const tau = new Map<string, Tensor>();
  let done = 0;
  for (const name of a.dtypes.keys()) {
    if (signal?.aborted) throw new TbarError("interrupted", "vector arithmetic was interrupted");
    const part = taskVector(new Map([[name, await a.tensor(name)]]), new Map([[name, await b.tensor(name)]]));
    for (const [changed, value] of part) tau.set(changed, value);
    progress.step(++done, a.dtypes.size);
  }
  if (tau.size === 0) throw badInput(`${from} and ${to} have the same weights: there is no difference to write`);
  await writeVector(out, { tau, parent: await a.sha256() }, { force });
  return vectorInfo(out);
}

export interface ApplyResult {
  readonly kind: "apply";
  readonly model: string;
  readonly vector: string;
  readonly alpha: number;
  readonly output: { readonly path: string; readonly sha256: string };
}

/**
 * MODEL + alpha VECTOR, written to `out` as MODEL is stored. Alpha unless told: that of the vector, which gives a cleaned model
 * its parent back, or 1. A receipt does not go along: its figures are those of other weights.
 */
export async function applyVector(
  model: string,
  vector: string,
  out: string,
  { alpha: asked, force, progress = silent, signal }: VectorJob & { readonly alpha?: number } = {},
): Promise<ApplyResult> {
  await refuseExisting(out, { force });
  progress.stage("add");
  const checkpoint = await readCheckpoint(model);
  const { tau, alpha: stored } = await readVector(vector);
  const alpha = asked ?? stored ?? 1;
  const weights = new Map<string, Tensor>();
  for (const [name, value] of tau) {
    if (signal?.aborted) throw new TbarError("interrupted", "vector arithmetic was interrupted");
    if (!checkpoint.dtypes.has(name)) throw badInput(`${model} has no ${name}, which ${vector} changes`);
    const before = await checkpoint.tensor(name);
    if (!sameShape(before.shape, value.shape)) {
      throw badInput(`${name} is [${before.shape}] in ${model} and [${value.shape}] in ${vector}`);
    }
    const sum = add(new Map([[name, before]]), new Map([[name, value]]), alpha);
    weights.set(name, sum.get(name) as Tensor);
    progress.step(weights.size, tau.size);
  }
  progress.stage("write");
  const { [receiptKey]: _, ...metadata } = checkpoint.metadata;
  await writeCheckpoint(out, { like: { ...checkpoint, metadata }, weights }, { force });
  return {
    kind: "apply",
    model,
    vector,
    alpha,
    output: { path: out, sha256: await (await readCheckpoint(out)).sha256() },
  };
}

/** What a vector changes, and how far. */
export async function vectorInfo(path: string): Promise<VectorResult> {
  const { tau, alpha, parent } = await readVector(path);
  const groups = new Map<string, Map<string, Tensor>>();
  for (const [name, value] of tau) {
    const group = groupOf(name);
    groups.set(group, (groups.get(group) ?? new Map()).set(name, value));
  }
  return {
    kind: "vector",
    path,
    bytes: (await stat(path)).size,
    ...(alpha !== undefined && { alpha }),
    ...(parent !== undefined && { parent }),
    tensors: tau.size,
    values: valuesOf(tau),
    norm: norm(tau),
    groups: [...groups].map(([name, part]) => ({ name, values: valuesOf(part), norm: norm(part) })),
  };
}

export interface CosineResult {
  readonly kind: "cosine";
  readonly cosine: number;
  readonly norms: readonly [number, number];
  /** Tensors that both vectors change. */
  readonly shared: number;
}

/** Cosine of the angle between two vectors; a tensor that only one changes counts as nought in the other. */
export async function vectorCosine(first: string, second: string): Promise<CosineResult> {
  const a = (await readVector(first)).tau;
  const b = (await readVector(second)).tau;
  for (const [name, { shape }] of a) {
    const other = b.get(name)?.shape;
    if (other !== undefined && !sameShape(shape, other)) {
      throw badInput(`${name} is [${shape}] in ${first} and [${other}] in ${second}: they are of different models`);
    }
  }
  const norms = [norm(a), norm(b)] as const;
  if (norms.includes(0)) throw badInput(`${norms[0] === 0 ? first : second} is nought: it has no direction`);
  const shared = [...a.keys()].filter((name) => b.has(name)).length;
  return { kind: "cosine", cosine: dot(a, b) / (norms[0] * norms[1]), norms, shared };
}

function valuesOf(tau: Weights): number {
  let count = 0;
  for (const { data } of tau.values()) count += data.length;
  return count;
}

/** "vision_model.encoder.layers.3.mlp.fc1.weight" -> "image layer 3" */
function groupOf(name: string): string {
  const tower = name.startsWith("vision") || name.startsWith("visual") ? "image" : "text";
  const layer = /\.layers\.(\d+)\./.exec(name)?.[1];
  if (layer !== undefined) return `${tower} layer ${layer}`;
  if (name.includes("embedding")) return `${tower} embeddings`;
  return name === "logit_scale" ? "logit scale" : `${tower} norms and projection`;
}
