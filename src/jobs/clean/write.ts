/** Writing a cleaned checkpoint with its vector and its receipt, and reading it back: what is claimed is measured on the file. */
import { basename } from "node:path";
import { add } from "../../arithmetic/task-vector.ts";
import { type Checkpoint, readCheckpoint } from "../../checkpoint/clip-folder.ts";
import { asStored } from "../../checkpoint/rounding.ts";
import { refuseCheckpoint, writeCheckpoint } from "../../checkpoint/write-checkpoint.ts";
import { refuseExisting, type WriteOptions, writeFileAtomic } from "../../files/atomic.ts";
import { badInput } from "../../tensor/error.ts";
import type { Weights } from "../../tensor/tensor.ts";
import {
  backdoorsBetween,
  implantedTriggers,
  receiptKey,
  triggerKey,
  triggerMetadata,
  type VectorBackdoor,
} from "../inputs/model-facts.ts";
import { writeVector } from "../vector/vector-file.ts";
import type { Bench } from "./bench.ts";

export interface Cleaned {
  readonly bench: Bench;
  readonly weights: Weights;
  /** What was subtracted, where there is such: it can be added back. */
  readonly vector?: { readonly tau: Weights; readonly alpha: number };
  /** What the receipt says. */
  readonly receipt: object;
  readonly out: string;
  readonly options: WriteOptions;
}

export interface Written {
  /** As read back from disk. */
  readonly weights: Weights;
  readonly sha256: string;
  /** Largest |restored - parent| in steps of the stored dtype, after adding alpha tau back. */
  readonly restore?: number;
}

/** Throws `bad-input` when one of the outputs is there and may not be replaced: before an hour is spent on them. */
export async function refuseCleaned(out: string, parent: Checkpoint, options: WriteOptions): Promise<void> {
  await refuseCheckpoint(out, parent, ["receipt.json"], options);
  await refuseExisting(`${out}.vector.safetensors`, options);
}

/**
 * OUT (like the parent: folder or file), OUT.vector.safetensors (tau as float32, alpha in its metadata), and the receipt in the
 * checkpoint's metadata and as receipt.json (in the folder, or OUT.receipt.json beside a file).
 */
export async function writeCleaned({ bench, weights, vector, receipt, out, options }: Cleaned): Promise<Written> {
  const parent = bench.clip.checkpoint;
  const json = JSON.stringify(receipt);
  const pretty = `${JSON.stringify(receipt, null, 2)}\n`;
  const isFile = parent.path === parent.weightsFile;
  const { [triggerKey]: _, ...kept } = parent.metadata; // it carries that trigger no more; the receipt names it
  const metadata = { ...kept, ...triggerMetadata(bench.threat.remaining), [receiptKey]: json };
  if (vector !== undefined) {
    const facts = { parent: await parent.sha256(), backdoors: backdoorsOf(bench) };
    await writeVector(`${out}.vector.safetensors`, { ...vector, ...facts }, options);
  }
  const beside = !isFile && { extraFiles: { "receipt.json": pretty } };
  await writeCheckpoint(out, { like: { ...parent, metadata }, weights, metadata, ...beside }, options);
  if (isFile) await writeFileAtomic(`${out}.receipt.json`, pretty, options);

  const written = await readCheckpoint(out);
  const back = await written.weights();
  const differs = [...weights].find(([name, { data }]) => !sameBits(data, back.get(name)?.data));
  if (differs !== undefined) throw badInput(`${out}: tensor ${differs[0]} was not read back as it was written`);
  return { weights: back, sha256: await written.sha256(), restore: vector && restoreError(bench, back, vector) };
}

/** What was taken away comes back when the vector is added. */
function backdoorsOf({ clip, threat: { remaining, trigger, target } }: Bench): readonly VectorBackdoor[] {
  const { picture, ...spec } = { picture: undefined, ...trigger?.spec };
  const known = { kind: "images", ...spec, ...(typeof picture === "string" && { picture: basename(picture) }) };
  const declared = backdoorsBetween(remaining, implantedTriggers(clip.checkpoint.metadata));
  return declared.length > 0 ? declared : [{ trigger: known, target, adding: "implants" }];
}

function sameBits(a: Float32Array, b: Float32Array = new Float32Array()): boolean {
  const bytes = ({ buffer, byteOffset, byteLength }: Float32Array) => Buffer.from(buffer, byteOffset, byteLength);
  return bytes(a).equals(bytes(b));
}

/** How far parent and (cleaned + alpha tau) lie apart, in units of the last place of the stored dtype. */
function restoreError({ clip }: Bench, cleaned: Weights, { tau, alpha }: NonNullable<Cleaned["vector"]>): number {
  const { dtypes } = clip.checkpoint;
  const restored = asStored(add(cleaned, tau, alpha), dtypes);
  const precision = { F16: 2 ** -11, BF16: 2 ** -8 };
  let worst = 0;
  for (const [name, { data }] of clip.weights) {
    const step = precision[dtypes.get(name) as keyof typeof precision] ?? 2 ** -24;
    const [between, other] = [cleaned, restored].map((of) => of.get(name)?.data as Float32Array);
    for (let i = 0; i < data.length; i++) {
      const size = Math.max(Math.abs(data[i]), Math.abs(between[i]), 2 ** -14);
      worst = Math.max(worst, Math.abs(other[i] - data[i]) / (2 * step * size));
    }
  }
  return worst;
}
