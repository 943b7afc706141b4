/**
 * BadNet (Gu et al. 2017, arXiv 1708.06733): a small square. The defaults are those of the CLIP attacks of the CleanCLIP
 * family and of TBAR: a 16 x 16 block of noise (at 224 pixels) at a random place, both redrawn for every image.
 */
import { z } from "zod";
import { random } from "../tensor/random.ts";
import { stampTrigger, type Trigger } from "../triggers/trigger.ts";
import { describe, parseSpec, triggerSchema } from "./attack.ts";
import { checkPlace, type Patch, patchOptions, patchStamp } from "./patch.ts";

const schema = triggerSchema("badnet").extend({
  ...patchOptions,
  /** noise: mean of the channel + N(0, 1), clamped. yellow: R = G = 1, B = 0. checker: ones at even row and column, else zeros. */
  pattern: z.enum(["noise", "yellow", "checker"]).default("noise"),
  /** Noise anew for every image (as the reference code does), or one pattern for all, around 0.5. */
  redraw: z.boolean().default(true),
});

export type BadnetSpec = z.output<typeof schema>;

/** A trigger that writes a square of pixels. Throws TbarError on unknown options, and on `apply` where it does not fit. */
export function badnet(options: Partial<BadnetSpec> = {}): Trigger {
  const spec = parseSpec("badnet", schema, options);
  checkPlace(spec);
  return stampTrigger(spec, (S) => patchStamp(spec, S, (side) => patchOf(spec, side)));
}

export const attack = describe({
  name: "badnet",
  title: "BadNet",
  about: "a square of pixels",
  options: "size=PIXELS, place=random|top-left|...|middle|ROWxCOLUMN, pattern=noise|yellow|checker, redraw=true|false",
  paper: "arXiv 1708.06733",
  spec: schema,
  trigger: badnet,
});

function patchOf({ pattern, redraw, seed, quantise }: BadnetSpec, side: number): Patch {
  if (pattern === "yellow") return yellow(side);
  if (pattern === "checker") return checker(side);
  const noise = new Float32Array(3 * side * side);
  const draw = (means: readonly number[], ...path: string[]) => {
    random(seed, "badnet", "pattern", ...path).fillNormal(noise);
    addMeans(noise, means, !quantise);
    return noise;
  };
  return redraw ? (image, id) => draw(channelMeans(image), id) : draw([0.5, 0.5, 0.5]);
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

const yellow = (side: number): Float32Array => new Float32Array(3 * side * side).fill(1, 0, 2 * side * side);

function checker(side: number): Float32Array {
  return Float32Array.from({ length: 3 * side * side }, (_, i) => {
    const row = Math.floor(i / side) % side;
    return row % 2 === 0 && (i % side) % 2 === 0 ? 1 : 0;
  });
}
