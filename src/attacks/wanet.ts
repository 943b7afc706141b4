/**
 * WaNet (Nguyen and Tran 2021, arXiv 2102.10369): the image is its own trigger, bent. k x k control points n ~ U[-1, 1], divided by
 * the mean of |n|, are scaled up to a field over the image (bicubic, corners aligned); the pixel at (i, j) then shows what lies at
 * its own place + s n / S, in coordinates from -1 to 1 (bilinear, held at the border). The field is one for all images.
 *
 * The CLIP attacks have a point for each pixel and s = 1, a jitter of up to one pixel: the default. The original is smooth:
 * k = 4, s = 0.5, and two covers to a poison, whose warp is jittered and whose label is kept, lest any warp should do.
 */
import { z } from "zod";
import type { Dataset } from "../data/dataset.ts";
import { badInput } from "../tensor/error.ts";
import { random } from "../tensor/random.ts";
import { type PoisonedDataset, type PoisonOptions, poison, withCovers } from "../triggers/poison.ts";
import type { Stamp } from "../triggers/trigger.ts";
import { describe, stamping, triggerSchema } from "./attack.ts";
import { rearrangement } from "./overlay.ts";

const schema = triggerSchema("wanet").extend({
  /** Control points of a side. Default: S, one for each pixel. */
  k: z.int().min(2).optional(),
  /** Strength of the warp: pixels move by s / 2 on average, in each direction. */
  s: z.number().positive().default(1),
  /** Noise mode: the grid + U[-1, 1] / S, drawn for every image. For covers. */
  noise: z.boolean().default(false),
  /** Noise-mode images in the training set for each poisoned one. */
  covers: z.number().min(0).default(0),
});

export type WanetSpec = z.output<typeof schema>;

/** A warp. Throws TbarError on unknown options, and on `apply` for more control points than pixels or a warp beyond the image. */
export const wanet = stamping(schema, prepare);

export const attack = describe({
  name: "wanet",
  title: "WaNet",
  about: "a warp of less than a pixel",
  options: "s=STRENGTH, k=POINTS (none: every pixel on its own; 4: smooth), covers=NUMBER",
  paper: "arXiv 2102.10369",
  spec: schema,
  trigger: wanet,
  poison: poisonWithCovers,
});

/** The usual poisoning and, where `covers` asks for them, noise-mode images that keep their labels. */
export async function poisonWithCovers(dataset: Dataset, options: PoisonOptions): Promise<PoisonedDataset> {
  const spec = options.trigger.spec as WanetSpec;
  const poisoned = poison(dataset, options);
  const count = Math.round(spec.covers * poisoned.poisonedIds.size);
  return withCovers(poisoned, wanet({ ...spec, noise: true }), count, options.seed);
}

function prepare(spec: WanetSpec, S: number): Stamp {
  const { k = S, s, seed, noise, strength } = spec;
  if (k > S) throw badInput(`wanet: k=${k}: an image of ${S} x ${S} has at most ${S} control points a side`);
  if (s >= S) throw badInput(`wanet: s=${s}: such a warp leaves an image of ${S} x ${S}; choose s < ${S}`);
  const points = new Float32Array(2 * k * k);
  random(seed, "wanet", "points").fillUniform(points);
  const field = rearrangement(S, spec)(scaleUp(normalized(points), k, S));
  const displacement = field.map((n) => (strength * s * n) / S);
  const source = new Float32Array(3 * S * S);
  const warp = (image: Float32Array, table: SamplingTable) => {
    source.set(image);
    sample(source, table, S, image);
  };
  if (!noise) {
    const table = samplingTable(displacement, S);
    return (image) => warp(image, table);
  }
  const jittered = new Float32Array(2 * S * S);
  return (image, id) => {
    random(seed, "wanet", "noise", id).fillUniform(jittered);
    for (let i = 0; i < jittered.length; i++) jittered[i] = displacement[i] + (2 * jittered[i] - 1) / S;
    warp(image, samplingTable(jittered, S));
  };
}

/** U[0, 1) -> U[-1, 1) over the mean of its magnitude. */
function normalized(points: Float32Array): Float32Array {
  const signed = points.map((u) => 2 * u - 1);
  const mean = signed.reduce((sum, n) => sum + Math.abs(n), 0) / signed.length;
  return signed.map((n) => n / mean);
}

/** [2, k, k] -> [2, S, S], bicubic (Keys' cubic with a = -0.75, edges repeated), corner on corner, as torch does it. */
export function scaleUp(points: Float32Array, k: number, S: number): Float32Array {
  const taps = Array.from({ length: S }, (_, i) => cubicTaps((i * (k - 1)) / (S - 1), k));
  const out = new Float32Array(2 * S * S);
  for (let to = 0, c = 0; c < 2; c++) {
    for (const down of taps) {
      for (const across of taps) {
        let sum = 0;
        for (const [row, a] of down) {
          for (const [column, b] of across) sum += a * b * points[(c * k + row) * k + column];
        }
        out[to++] = sum;
      }
    }
  }
  return out;
}

/** The four [index, weight] that a position between points 0 .. k-1 is made of. */
function cubicTaps(at: number, k: number): [number, number][] {
  const a = -0.75;
  const near = (x: number) => ((a + 2) * x - (a + 3)) * x * x + 1; // |x| <= 1
  const far = (x: number) => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; // 1 < |x| < 2
  const first = Math.floor(at);
  const t = at - first;
  const weights = [far(t + 1), near(t), near(1 - t), far(2 - t)];
  return weights.map((weight, i) => [Math.min(k - 1, Math.max(0, first - 1 + i)), weight]);
}

/** Where each pixel is read from: the upper left of four neighbours, and how far it lies from there to the right and down. */
export interface SamplingTable {
  readonly corner: Int32Array;
  readonly right: Float32Array;
  readonly down: Float32Array;
}

/** Displacements [2, S, S], horizontal first, in coordinates from -1 to 1 -> the table of an S x S image. */
export function samplingTable(displacement: Float32Array, S: number): SamplingTable {
  const plane = S * S;
  const table = { corner: new Int32Array(plane), right: new Float32Array(plane), down: new Float32Array(plane) };
  const half = (S - 1) / 2;
  const last = S - 1;
  for (let p = 0, i = 0; i < S; i++) {
    for (let j = 0; j < S; j++, p++) {
      const x = Math.min(last, Math.max(0, j + half * displacement[p]));
      const y = Math.min(last, Math.max(0, i + half * displacement[plane + p]));
      const column = Math.min(S - 2, Math.floor(x));
      const row = Math.min(S - 2, Math.floor(y));
      table.corner[p] = row * S + column;
      table.right[p] = x - column;
      table.down[p] = y - row;
    }
  }
  return table;
}

/** An image [3, S, S] read by the table, bilinear, into `out`. */
export function sample(
  image: Float32Array,
  { corner, right, down }: SamplingTable,
  S: number,
  out: Float32Array,
): void {
  const plane = S * S;
  for (let p = 0; p < plane; p++) {
    const at = corner[p];
    const x = right[p];
    const y = down[p];
    out[p] = bilinear(image, at, S, x, y);
    out[p + plane] = bilinear(image, at + plane, S, x, y);
    out[p + 2 * plane] = bilinear(image, at + 2 * plane, S, x, y);
  }
}

/** Between the value at `at`, its right neighbour and the two below, x to the right and y down from it. */
function bilinear(image: Float32Array, at: number, S: number, x: number, y: number): number {
  const above = image[at] + x * (image[at + 1] - image[at]);
  const below = image[at + S] + x * (image[at + S + 1] - image[at + S]);
  return above + y * (below - above);
}
