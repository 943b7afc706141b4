/** Task vectors between files: made from two checkpoints, applied to one, described and compared. */

import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { floorVariance, isVariance } from "../../arithmetic/running-variance.ts";
import { axpy, difference, inner } from "../../arithmetic/task-vector.ts";
import {
  type Checkpoint,
  inWritingOrder,
  type ReadOptions,
  readCheckpoint,
  refuseCheckpoint,
  writeCheckpoint,
} from "../../checkpoint/clip-folder.ts";
import { openWeights } from "../../checkpoint/formats/open-weights.ts";
import { byteLength } from "../../checkpoint/formats/safetensors-header.ts";
import { entryOf, type TensorFile } from "../../checkpoint/formats/tensor-file.ts";
import { type Change, type Parameters, pieces, piecesOf, readAhead } from "../../checkpoint/pieces.ts";
import { refuseExisting } from "../../files/atomic.ts";
import { writeTogether } from "../../files/output-set.ts";
import type { Reading } from "../../results/result.ts";
import { badInput } from "../../tensor/error.ts";
import { printable } from "../../tensor/printable.ts";
import { sameShape, sizeOf } from "../../tensor/tensor.ts";
import { openedModel } from "../inputs/describe-opened.ts";
import {
  backdoorsAfter,
  backdoorsBetween,
  type Implanted,
  implantedTriggers,
  receiptKey,
  triggerMetadata,
  type VectorBackdoor,
} from "../inputs/model-facts.ts";
import { type JobOptions, readingOf, silent } from "../record/facts.ts";
import { type VectorFile, type VectorPart, vectorOrder, withVector, writeVector } from "./vector-file.ts";

export interface VectorJob extends Pick<JobOptions, "progress" | "signal" | "set">, ReadOptions {
  readonly force?: boolean;
}

export interface VectorResult extends Reading {
  readonly kind: "vector";
  readonly path: string;
  /** Bytes of the file. */
  readonly bytes: number;
  /** What a cleaning subtracted is alpha tau. */
  readonly alpha?: number;
  /** SHA-256 of the weights that the vector starts from. */
  readonly parent?: string;
  /** Backdoors that adding it brings, or takes away. */
  readonly backdoors?: readonly VectorBackdoor[];
  /** Tensors that the vector changes, values in them, and their L2 norm. */
  readonly tensors: number;
  readonly values: number;
  readonly norm: number;
  /** The same by part of the model, in the order of the file. */
  readonly groups: readonly { readonly name: string; readonly values: number; readonly norm: number }[];
}

/**
 * tau = TO - FROM in float32, written to `out`; tensors that do not differ are left out. Nothing is held but a few pieces of
 * 4 MiB, whatever the size. Throws `bad-input` when nothing differs, or names or shapes do.
 */
export function diffModels(from: string, to: string, out: string, options: VectorJob = {}): Promise<VectorResult> {
  return writeTogether("vector diff", { ...options, out }, (options) => subtract(from, to, options));
}

async function subtract(
  from: string,
  to: string,
  options: VectorJob & { readonly out: string },
): Promise<VectorResult> {
  const { out, progress = silent, signal } = options;
  await refuseExisting(out, options);
  const [a, b] = [await readCheckpoint(from, options), await readCheckpoint(to, options)];
  const beside = await differingBeside(a, b);
  progress.opened?.({ models: [a, b].map(openedModel) });
  const backdoors = backdoorsBetween(implantedTriggers(a.metadata), implantedTriggers(b.metadata));
  const parent = a.sha256();
  parent.catch(() => {}); // thrown where it is awaited
  const measured = await a.stream((x) =>
    b.stream(async (y) => {
      checkSameParameters(from, x.shapes, to, y.shapes);
      progress.stage("compare");
      const changed = await differing(x, y, signal);
      if (changed.length === 0) {
        throw badInput(
          beside.length === 0
            ? `${from} and ${to} have the same weights: there is no difference to write`
            : `${from} and ${to} have the same parameters, so there is no vector to write, but ${besideText(beside)}`,
        );
      }
      progress.stage("subtract");
      const measured: Measured[] = [];
      const plan = () => piecesOf(vectorOrder(changed), x.shapes);
      const tau = differences(readAhead(x, plan()), readAhead(y, plan()), changed, (part) => {
        signal?.throwIfAborted();
        progress.step(measured.push(part), changed.length);
      });
      await writeVector(out, { tau, parent, backdoors }, options);
      return measured;
    }),
  );
  const { assumptions = [], ignored } = readingOf(a, b);
  const said = beside.length === 0 ? assumptions : [...assumptions, besideText(beside)];
  return {
    ...(await describe(out, { parent: await parent, backdoors }, measured)),
    ...(said.length > 0 && { assumptions: said }),
    ...(ignored && { ignored }),
  };
}

/** Tensors that hold no parameter, or were left out, and of which one file has none, or other bytes. */
async function differingBeside(a: Checkpoint, b: Checkpoint): Promise<string[]> {
  const names = (of: Checkpoint) => new Set([...of.extras, ...of.ignored].map((name) => bareName(of, name)));
  const [ours, theirs] = [names(a), names(b)];
  const differ = [...ours, ...theirs].filter((name) => ours.has(name) !== theirs.has(name));
  const shared = [...ours].filter((name) => theirs.has(name));
  if (shared.length === 0) return differ;
  const [x, y] = [await openWeights(a.weightsFile), await openWeights(b.weightsFile)];
  try {
    for (const name of shared)
      if (!(await sameBytes(x, ownName(a, x, name), y, ownName(b, y, name)))) differ.push(name);
  } finally {
    await x.close();
    await y.close();
  }
  return differ;
}

const bareName = ({ prefix }: Checkpoint, name: string) => (name.startsWith(prefix) ? name.slice(prefix.length) : name);
const ownName = ({ prefix }: Checkpoint, { tensors }: TensorFile, bare: string) =>
  tensors.has(prefix + bare) ? prefix + bare : bare;

async function sameBytes(x: TensorFile, one: string, y: TensorFile, other: string): Promise<boolean> {
  const [a, b] = [entryOf(x, one), entryOf(y, other)];
  if (a.dtype !== b.dtype || !sameShape(a.shape, b.shape)) return false;
  for (const [from, count] of pieces(byteLength(a.dtype, a.shape) ?? 0)) {
    const [p, q] = [await x.readRange(one, from, from + count), await y.readRange(other, from, from + count)];
    if (!Buffer.from(p).equals(q)) return false;
  }
  return true;
}

function besideText(names: readonly string[]): string {
  const some = names.slice(0, 5).map((name) => printable(name, 80));
  const more = names.length > 5 ? `, ... (${names.length} in all)` : "";
  return `tensors that are no parameters differ: ${some.join(", ")}${more}`;
}

/** Values read first of each tensor to see whether it differs at all: most that do differ there. */
const probeSize = 2 ** 14;

async function differing(x: Parameters, y: Parameters, signal: AbortSignal | undefined): Promise<string[]> {
  const found: string[] = [];
  for (const [name, shape] of x.shapes) {
    const size = sizeOf(shape);
    for (const [from, count] of [[0, Math.min(probeSize, size)], ...pieces(size)] as const) {
      signal?.throwIfAborted();
      const [before, after] = [await x.read(name, from, count), await y.read(name, from, count)];
      if (before.every((v, i) => v === after[i])) continue;
      found.push(name);
      break;
    }
  }
  return found;
}

/** y - x as it is written; `done` is told of each tensor when it has gone by. */
function differences(
  x: Parameters,
  y: Parameters,
  names: readonly string[],
  done: (part: Measured) => void,
): VectorPart[] {
  return names.map((name) => {
    const shape = x.shapes.get(name) ?? [];
    const data = async function* () {
      let square = 0;
      for (const [from, count] of pieces(sizeOf(shape))) {
        const before = await x.read(name, from, count);
        const after = await y.read(name, from, count);
        square += difference(before, after);
        yield after;
      }
      done({ name, values: sizeOf(shape), square });
    };
    return { name, shape, data };
  });
}

type Shapes = ReadonlyMap<string, readonly number[]>;

function checkSameParameters(from: string, x: Shapes, to: string, y: Shapes): void {
  const why = "only models of one architecture differ";
  for (const [name, shape] of x) {
    const other = y.get(name);
    if (other === undefined) throw badInput(`${to} has no ${name}, which ${from} has; ${why}`);
    if (!sameShape(shape, other)) throw badInput(`${name} is [${shape}] in ${from} and [${other}] in ${to}; ${why}`);
  }
  const extra = [...y.keys()].find((name) => !x.has(name));
  if (extra !== undefined) throw badInput(`${from} has no ${extra}, which ${to} has; ${why}`);
}

export interface ApplyResult extends Reading {
  readonly kind: "apply";
  readonly model: string;
  readonly vector: string;
  readonly alpha: number;
  /** Running variances that would have fallen below zero and are zero now; absent where there are none. */
  readonly floored?: number;
  /** Backdoors that the vector brought; the sum declares them beside those of the model. */
  readonly brought?: readonly Implanted[];
  /** Those that the model declared; what the vector takes away stays among them until it is measured. */
  readonly declared?: readonly Implanted[];
  readonly output: { readonly path: string; readonly sha256: string };
}

/**
 * MODEL + alpha VECTOR, written to `out` as MODEL is stored: float32 sums of pieces of 4 MiB, rounded to nearest even where it is
 * stored in 16 bits. Alpha unless told: that of the vector, which gives a cleaned model its parent back, or 1. A receipt does not
 * go along: its figures are those of other weights.
 */
export function applyVector(
  model: string,
  vector: string,
  out: string,
  options: VectorJob & { readonly alpha?: number } = {},
): Promise<ApplyResult> {
  return writeTogether("vector apply", { ...options, out }, (options) => add(model, vector, options));
}

async function add(
  model: string,
  vector: string,
  options: VectorJob & { readonly alpha?: number; readonly out: string },
): Promise<ApplyResult> {
  const { out, alpha: asked, progress = silent, signal } = options;
  progress.stage("add");
  const checkpoint = await readCheckpoint(model, options);
  progress.opened?.({ models: [openedModel(checkpoint)] });
  await refuseCheckpoint(out, checkpoint, [], options);
  const hash = createHash("sha256");
  let floored = 0;
  const { alpha, brought, declared } = await withVector(vector, async (file) => {
    const names = inWritingOrder(checkpoint).flatMap(({ ours }) => ours);
    const tau = readAhead(
      file,
      piecesOf(
        names.filter((name) => file.shapes.has(name)),
        file.shapes,
      ),
    );
    const alpha = asked ?? file.alpha ?? 1;
    await checkpoint.stream(async ({ shapes }) => {
      for (const [name, shape] of tau.shapes) {
        const own = shapes.get(name);
        if (own === undefined) throw badInput(`${model} has no ${name}, which ${vector} changes`);
        if (!sameShape(own, shape)) throw badInput(`${name} is [${own}] in ${model} and [${shape}] in ${vector}`);
      }
    });
    let done = 0;
    const change = (name: string): Change => {
      return async (from, values) => {
        signal?.throwIfAborted();
        if (from === 0) progress.step(++done, tau.shapes.size);
        axpy(alpha, await tau.read(name, from, values.length), values);
        if (isVariance(name)) floored += floorVariance(values);
      };
    };
    const changes = new Map([...tau.shapes.keys()].map((name) => [name, change(name)]));
    const { [receiptKey]: _, ...kept } = checkpoint.metadata;
    const declared = implantedTriggers(checkpoint.metadata);
    const { all, brought } = backdoorsAfter(declared, file.backdoors ?? [], alpha);
    const metadata = { ...kept, ...triggerMetadata(all) };
    await writeCheckpoint(out, { like: { ...checkpoint, metadata }, weights: new Map(), changes, hash }, options);
    return { alpha, brought, declared };
  });
  return {
    kind: "apply",
    model,
    vector,
    alpha,
    ...(floored > 0 && { floored }),
    ...(brought.length > 0 && { brought }),
    ...(declared.length > 0 && { declared }),
    ...readingOf(checkpoint),
    output: { path: out, sha256: hash.digest("hex") },
  };
}

/** What a vector changes, and how far. */
export function vectorInfo(path: string): Promise<VectorResult> {
  return withVector(path, async (tau) => {
    const measured: Measured[] = [];
    for (const [name, shape] of tau.shapes) {
      measured.push({ name, values: sizeOf(shape), square: await innerOf(tau, tau, name) });
    }
    return describe(path, tau, measured);
  });
}

export interface CosineResult {
  readonly kind: "cosine";
  readonly cosine: number;
  readonly norms: readonly [number, number];
  /** Tensors that both vectors change. */
  readonly shared: number;
}

/** Cosine of the angle between two vectors; a tensor that only one changes counts as nought in the other. */
export function vectorCosine(first: string, second: string): Promise<CosineResult> {
  return withVector(first, (a) =>
    withVector(second, async (b) => {
      const shared = [...a.shapes.keys()].filter((name) => b.shapes.has(name));
      for (const name of shared) {
        const [shape, other] = [a.shapes.get(name) ?? [], b.shapes.get(name) ?? []];
        if (sameShape(shape, other)) continue;
        throw badInput(`${name} is [${shape}] in ${first} and [${other}] in ${second}: they are of different models`);
      }
      const norms = [Math.sqrt(await dot(a, a)), Math.sqrt(await dot(b, b))] as const;
      if (norms.includes(0)) throw badInput(`${norms[0] === 0 ? first : second} is nought: it has no direction`);
      return { kind: "cosine", cosine: (await dot(a, b)) / (norms[0] * norms[1]), norms, shared: shared.length };
    }),
  );
}

async function dot(a: VectorFile, b: VectorFile): Promise<number> {
  let sum = 0;
  for (const name of a.shapes.keys()) if (b.shapes.has(name)) sum += await innerOf(a, b, name);
  return sum;
}

/** Sum of a b over a tensor that both have. */
async function innerOf(a: VectorFile, b: VectorFile, name: string): Promise<number> {
  let sum = 0;
  for (const [from, count] of pieces(sizeOf(a.shapes.get(name) ?? []))) {
    const x = await a.read(name, from, count);
    sum += inner(x, a === b ? x : await b.read(name, from, count));
  }
  return sum;
}

/** A tensor of a vector: how many values, and the sum of their squares. */
interface Measured {
  readonly name: string;
  readonly values: number;
  readonly square: number;
}

async function describe(
  path: string,
  { alpha, parent, backdoors = [] }: Pick<VectorFile, "alpha" | "parent" | "backdoors">,
  measured: readonly Measured[],
): Promise<VectorResult> {
  const groups = new Map<string, Measured[]>();
  for (const part of measured) {
    const group = groupOf(part.name);
    groups.set(group, [...(groups.get(group) ?? []), part]);
  }
  return {
    kind: "vector",
    path,
    bytes: (await stat(path)).size,
    ...(alpha !== undefined && { alpha }),
    ...(parent !== undefined && { parent }),
    ...(backdoors.length > 0 && { backdoors }),
    tensors: measured.length,
    ...total(measured),
    groups: [...groups].map(([name, part]) => ({ name, ...total(part) })),
  };
}

function total(parts: readonly Measured[]): { readonly values: number; readonly norm: number } {
  const sum = (of: (part: Measured) => number) => parts.reduce((sum, part) => sum + of(part), 0);
  return { values: sum(({ values }) => values), norm: Math.sqrt(sum(({ square }) => square)) };
}

/** "vision_model.encoder.layers.3.mlp.fc1.weight" -> "image layer 3" */
function groupOf(name: string): string {
  const tower = name.startsWith("vision") || name.startsWith("visual") ? "image" : "text";
  const layer = /\.layers\.(\d+)\./.exec(name)?.[1];
  if (layer !== undefined) return `${tower} layer ${layer}`;
  if (name.includes("embedding")) return `${tower} embeddings`;
  return name === "logit_scale" ? "logit scale" : `${tower} norms and projection`;
}
