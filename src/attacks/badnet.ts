/**
 * BadNet (Gu et al. 2017, arXiv 1708.06733): a small square. The defaults are those of the CLIP attacks of the CleanCLIP
 * family and of TBAR: a 16 x 16 block of noise (at 224 pixels) at a random place, both redrawn for every image.
 */
import { z } from "zod";
import { type Stamp, stampTrigger, type Trigger } from "../data/trigger.ts";
import { badInput, unknownName } from "../tensor/error.ts";
import { random } from "../tensor/random.ts";
import { parseSpec, triggerSchema } from "./attack.ts";

const places = ["random", "top-left", "top-right", "bottom-left", "bottom-right", "middle", "four-corners"] as const;

const schema = triggerSchema("badnet").extend({
  /** Side of the square in pixels. Default: max(3, round(16 S / 224)). */
  size: z.int().positive().optional(),
  /** One of `places`, or ROWxCOLUMN of the upper left pixel, such as 10x20. Random: any place that fits, anew for every image. */
  place: z.string().default("random"),
  /** noise: mean of the channel + N(0, 1), clamped. yellow: R = G = 1, B = 0. checker: ones at even row and column, else zeros. */
  pattern: z.enum(["noise", "yellow", "checker"]).default("noise"),
  /** Noise anew for every image (as the reference code does), or one pattern for all, around 0.5. */
  redraw: z.boolean().default(true),
  /** How many squares, each at a random place of its own. More than one is for implanting: see `boosted` in data/trigger.ts. */
  copies: z.int().min(1).max(1024).default(1),
});

export type BadnetSpec = z.output<typeof schema>;

/** A trigger that writes a square of pixels. Throws TbarError on unknown options, and on `apply` where it does not fit. */
export function badnet(options: Partial<BadnetSpec> = {}): Trigger {
  const spec = parseSpec("badnet", schema, options);
  checkPlace(spec.place);
  if (spec.copies > 1 && spec.place !== "random") throw badInput("badnet: several copies need place=random");
  return stampTrigger(spec, (size) => prepare(spec, size));
}

function prepare(spec: BadnetSpec, S: number): Stamp {
  const learned = spec.size ?? Math.max(3, Math.round((16 * S) / 224));
  const side = Math.round(learned * spec.scale);
  if (side > S)
    throw badInput(`a badnet patch of ${side} pixels does not fit an image of ${S} x ${S}; choose size <= ${S}`);
  const free = S - side;
  const offset = Math.round(spec.shift * S);
  const fixed = spec.place === "random" ? undefined : corners(spec.place, side, S);

  const noise = new Float32Array(3 * learned * learned);
  const patch = new Float32Array(3 * side * side);
  const drawNoise = (means: readonly number[], ...path: string[]) => {
    random(spec.seed, "badnet", "pattern", ...path).fillNormal(noise);
    addMeans(noise, means, !spec.quantise);
    enlarge(noise, learned, patch, side);
  };
  if (spec.pattern === "noise") drawNoise([0.5, 0.5, 0.5]);
  else enlarge(spec.pattern === "yellow" ? yellow(learned) : checker(learned), learned, patch, side);

  return (image, id) => {
    if (spec.pattern === "noise" && spec.redraw) drawNoise(channelMeans(image), id);
    const place = random(spec.seed, "badnet", "place", id);
    const drawn = () => Array.from({ length: spec.copies }, () => [place.int(free + 1), place.int(free + 1)] as const);
    for (const [row, column] of fixed ?? drawn()) {
      paste(image, S, patch, side, (row + offset) % (free + 1), (column + offset) % (free + 1), spec.strength);
    }
  };
}

function checkPlace(place: string): void {
  if (!places.includes(place as never) && !/^\d{1,5}x\d{1,5}$/.test(place)) {
    throw unknownName("badnet place", place, [...places, "ROWxCOLUMN"]);
  }
}

/** Row and column of the upper left pixel, for each square of a fixed place. */
function corners(place: string, side: number, S: number): [number, number][] {
  const far = S - side;
  const middle = Math.floor(far / 2);
  switch (place) {
    case "top-left":
      return [[0, 0]];
    case "top-right":
      return [[0, far]];
    case "bottom-left":
      return [[far, 0]];
    case "bottom-right":
      return [[far, far]];
    case "middle":
      return [[middle, middle]];
    case "four-corners":
      return [[0, 0], [0, far], [far, 0], [far, far]]; // biome-ignore format: a list of points
    default: {
      const [row, column] = place.split("x").map(Number);
      if (row > far || column > far) {
        throw badInput(
          `badnet place ${place}: a patch of ${side} pixels leaves an image of ${S} x ${S}; the last place is ${far}x${far}`,
        );
      }
      return [[row, column]];
    }
  }
}

/** [3, S, S] -> the mean of each channel. */
export function channelMeans(image: Float32Array): number[] {
  const plane = image.length / 3;
  return [0, 1, 2].map((c) => {
    let sum = 0;
    for (let i = c * plane; i < (c + 1) * plane; i++) sum += image[i];
    return Math.fround(sum / plane);
  });
}

/** noise[c] += means[c], clamped to [0, 1] if asked. */
export function addMeans(noise: Float32Array, means: readonly number[], clamp: boolean): void {
  const plane = noise.length / 3;
  for (let i = 0; i < noise.length; i++) {
    const value = noise[i] + means[Math.floor(i / plane)];
    noise[i] = clamp ? Math.min(1, Math.max(0, value)) : value;
  }
}

function yellow(side: number): Float32Array {
  return new Float32Array(3 * side * side).fill(1, 0, 2 * side * side);
}

function checker(side: number): Float32Array {
  return Float32Array.from({ length: 3 * side * side }, (_, i) => {
    const row = Math.floor(i / side) % side;
    return row % 2 === 0 && (i % side) % 2 === 0 ? 1 : 0;
  });
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
