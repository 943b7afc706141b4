/** A trigger is a value: a seeded function from images to images, and the JSON that says which. Attacks make them. */

import { pickImages, putImages } from "../data/images/pixels.ts";
import { badInput } from "../tensor/error.ts";
import { random } from "../tensor/random.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** What is written into results and read back from them: plain JSON. Each kind adds parameters of its own. */
export interface TriggerSpec {
  readonly kind: string;
  readonly seed: number;
  /** As the CleanCLIP family stores triggered images: no clamp, x * 255 truncated to a byte, wrapping. Off: floats in [0, 1]. */
  readonly quantise?: boolean;
  /** Robustness tests: the trigger moved down and right by this share of the side, wrapping. 0 = where it was learned. */
  readonly shift?: number;
  /** Robustness tests: the trigger enlarged by this factor. 1 = as learned. */
  readonly scale?: number;
  /** Robustness tests: how much of the trigger is mixed in. 1 = as learned. */
  readonly strength?: number;
}

export interface Trigger {
  readonly spec: TriggerSpec;
  /**
   * Pixels [B, 3, S, S] in [0, 1] -> a new tensor of that shape. Pure: an image's result depends on its own pixels and
   * id and on the spec, never on the batch it came in. Throws TbarError where the trigger does not fit the image size.
   * `memory` of the same length, `pixels.data` itself included, may be used for the result: fresh memory costs more time than
   * most triggers.
   */
  apply(pixels: Tensor, ids: readonly string[], memory?: Float32Array): Promise<Tensor>;
}

/** Writes the trigger into one image [3, S, S], in place. */
export type Stamp = (image: Float32Array, id: string) => void;

/** A trigger from its stamp; `prepare(S)` is called once for each image size. */
export function stampTrigger(spec: TriggerSpec, prepare: (size: number) => Stamp | Promise<Stamp>): Trigger {
  const stamps = new Map<number, Promise<Stamp>>();
  const stampFor = (size: number) => {
    if (!stamps.has(size)) stamps.set(size, (async () => prepare(size))());
    return stamps.get(size)!;
  };
  return {
    spec,
    async apply({ shape, data }, ids, out = new Float32Array(data.length)) {
      const [count, channels, height, width] = shape;
      if (shape.length !== 4 || channels !== 3 || height !== width || ids.length !== count)
        throw new RangeError(`a trigger needs [B, 3, S, S] and B ids, not [${shape}] and ${ids.length} ids`);
      if (out.length !== data.length) throw new RangeError(`memory for ${out.length} values, not ${data.length}`);
      const stamp = await stampFor(width);
      const size = 3 * width * width;
      for (let i = 0; i < count; i++) {
        const image = out.subarray(i * size, (i + 1) * size); // one at a time: it stays in the cache
        image.set(data.subarray(i * size, (i + 1) * size));
        stamp(image, ids[i]);
        if (spec.quantise) truncateToBytes(image);
      }
      return { shape, data: out };
    },
  };
}

/** The batch with the trigger on the images at `slots`, in increasing order, whose ids are `ids`; the others as they were. */
export async function applyAt(
  trigger: Trigger,
  pixels: Tensor,
  slots: readonly number[],
  ids: readonly string[],
): Promise<Tensor> {
  if (slots.length === 0) return pixels;
  if (slots.length === pixels.shape[0]) return trigger.apply(pixels, ids);
  const out = { shape: pixels.shape, data: pixels.data.slice() };
  const some = pickImages(pixels, slots);
  putImages(out, slots, await trigger.apply(some, ids, some.data));
  return out;
}

/** x -> (x * 255 cut to an integer, modulo 256) / 255, in float32 as torch does it: -1 becomes 1/255. */
function truncateToBytes(values: Float32Array): void {
  for (let i = 0; i < values.length; i++) values[i] = (Math.fround(values[i] * 255) & 255) / 255;
}

/** The same trigger elsewhere: `by` is a share of the image's side. One at random places stays at random places. */
export function moved<S extends TriggerSpec>(spec: S, by = 0.25): S {
  return { ...spec, shift: ((spec.shift ?? 0) + by) % 1 };
}

/** The same trigger, enlarged. */
export function larger<S extends TriggerSpec>(spec: S, by = 1.25): S {
  if (!(by >= 1)) throw badInput(`larger: the factor must be at least 1, not ${by}`);
  return { ...spec, scale: (spec.scale ?? 1) * by };
}

/** The same trigger, mixed with the image it is written on. */
export function weaker<S extends TriggerSpec>(spec: S, by = 0.75): S {
  if (!(by > 0 && by <= 1)) throw badInput(`weaker: the share must be in (0, 1], not ${by}`);
  return { ...spec, strength: (spec.strength ?? 1) * by };
}

/**
 * A trigger made easier to learn: each image gets it 1, 2, 4, ... or `most` times, all equally likely, as its id decides. `times` makes
 * the trigger with that many copies. A small patch at random places gives training too faint a signal to begin with; images
 * that carry it many times show what to look for, and those that carry it once ask for no more.
 */
export function boosted(spec: TriggerSpec, most: number, times: (copies: number) => Trigger): Trigger {
  const levels = Array.from({ length: Math.floor(Math.log2(most)) + 1 }, (_, k) => times(2 ** k));
  const levelOf = (id: string) => random(spec.seed, "boost", id).int(levels.length);
  return {
    spec,
    async apply(pixels, ids) {
      const out = { shape: pixels.shape, data: pixels.data.slice() };
      for (const [level, trigger] of levels.entries()) {
        const slots = Array.from(ids.keys()).filter((slot) => levelOf(ids[slot]) === level);
        if (slots.length === 0) continue;
        const some = slots.map((slot) => ids[slot]);
        putImages(out, slots, await trigger.apply(pickImages(pixels, slots), some));
      }
      return out;
    },
  };
}
