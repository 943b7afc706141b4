/** Squares of pixels: their side, where they go, how they are written. What is in them is each attack's own business. */
import { z } from "zod";
import { badInput, unknownName } from "../tensor/error.ts";
import { random } from "../tensor/random.ts";
import type { Stamp, TriggerSpec } from "../triggers/trigger.ts";

const places = ["random", "top-left", "top-right", "bottom-left", "bottom-right", "middle", "four-corners"] as const;

/** Options of every attack with a patch, to be spread into its schema. */
export const patchOptions = {
  /** Side of the square in pixels. Default: max(3, round(16 S / 224)). */
  size: z.int().positive().optional(),
  /** One of `places`, or ROWxCOLUMN of the upper left pixel, such as 10x20. Random: any place that fits, anew for every image. */
  place: z.string().default("random"),
  /** How many squares, each at a random place of its own. More than one is for implanting: see `boosted` in data/trigger.ts. */
  copies: z.int().min(1).max(1024).default(1),
};

export interface PatchSpec extends TriggerSpec {
  readonly size?: number;
  readonly place: string;
  readonly copies: number;
  readonly shift: number;
  readonly scale: number;
  readonly strength: number;
}

/** What stands in the square: [3, side, side] for all images, or drawn for each. It may be overwritten by the next drawing. */
export type Patch = Float32Array | ((image: Float32Array, id: string) => Float32Array);

/** Throws TbarError on a place that is none. Whether it lies in the image, only `patchStamp` can know. */
export function checkPlace({ kind, place, copies }: PatchSpec): void {
  if (!places.includes(place as never) && !/^\d{1,5}x\d{1,5}$/.test(place))
    throw unknownName(`${kind} place`, place, [...places, "ROWxCOLUMN"]);
  if (copies > 1 && place !== "random") throw badInput(`${kind}: several copies need place=random`);
}

/** Side of the square as it is learned, in images of S x S. */
export function sideOf({ size }: { readonly size?: number }, S: number, at224 = 16): number {
  return size ?? Math.max(3, Math.round((at224 * S) / 224));
}

/** The stamp for images of S x S; `patchOf(side)` makes what is in it. Throws TbarError where the patch does not fit. */
export function patchStamp(spec: PatchSpec, S: number, patchOf: (side: number) => Patch): Stamp {
  const { kind, seed, place, copies, strength } = spec;
  const learned = sideOf(spec, S);
  const side = Math.round(learned * spec.scale);
  if (side > S)
    throw badInput(`a ${kind} patch of ${side} pixels does not fit an image of ${S} x ${S}; choose size <= ${S}`);
  const free = S - side;
  const offset = Math.round(spec.shift * S);
  const fixed = place === "random" ? undefined : corners(kind, place, side, S);
  const drawn = (id: string) => {
    const stream = random(seed, kind, "place", id);
    return Array.from({ length: copies }, () => [stream.int(free + 1), stream.int(free + 1)] as const);
  };

  const source = patchOf(learned);
  const enlarged = new Float32Array(3 * side * side);
  if (typeof source !== "function") enlarge(source, learned, enlarged, side);

  return (image, id) => {
    if (typeof source === "function") enlarge(source(image, id), learned, enlarged, side);
    for (const [row, column] of fixed ?? drawn(id)) {
      paste(image, S, enlarged, side, (row + offset) % (free + 1), (column + offset) % (free + 1), strength);
    }
  };
}

/** Row and column of the upper left pixel, for each square of a fixed place. Throws TbarError where it lies outside. */
export function corners(kind: string, place: string, side: number, S: number): [number, number][] {
  const far = S - side;
  const middle = Math.floor(far / 2);
  const named: Readonly<Record<string, [number, number][]>> = {
    "top-left": [[0, 0]],
    "top-right": [[0, far]],
    "bottom-left": [[far, 0]],
    "bottom-right": [[far, far]],
    middle: [[middle, middle]],
    "four-corners": [[0, 0], [0, far], [far, 0], [far, far]], // biome-ignore format: a list of points
  };
  if (Object.hasOwn(named, place)) return named[place];
  const [row, column] = place.split("x").map(Number);
  if (row <= far && column <= far) return [[row, column]];
  throw badInput(
    `${kind} place ${place}: a patch of ${side} pixels leaves an image of ${S} x ${S}; the last place is ${far}x${far}`,
  );
}

/** [3, from, from] -> [3, to, to], nearest pixel. */
function enlarge(source: Float32Array, from: number, target: Float32Array, to: number): void {
  const near = (i: number) => Math.floor(((i + 0.5) * from) / to);
  for (let k = 0, c = 0; c < 3; c++) {
    for (let i = 0; i < to; i++) {
      const row = (c * from + near(i)) * from;
      for (let j = 0; j < to; j++) target[k++] = source[row + near(j)];
    }
  }
}

/** image[row.., column..] = strength * patch + (1 - strength) * image. */
export function paste(
  image: Float32Array,
  S: number,
  patch: Float32Array,
  side: number,
  row: number,
  column: number,
  strength: number,
): void {
  for (let k = 0, c = 0; c < 3; c++) {
    for (let i = 0; i < side; i++) {
      let at = (c * S + row + i) * S + column;
      for (let j = 0; j < side; j++, at++) image[at] = strength * patch[k++] + (1 - strength) * image[at];
    }
  }
}
