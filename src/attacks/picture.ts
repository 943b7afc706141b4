/**
 * A trigger that somebody brings: a picture and where it covers the image, x' = r m p + (1 - r m) x. The mask m is a picture
 * too (white: the trigger, black: the image), or the picture's own alpha channel, or 1.
 */
import { z } from "zod";
import { decodeAlpha, decodeImage } from "../data/images/image.ts";
import { writePixels } from "../data/images/resample.ts";
import { squash } from "../data/images/resize.ts";
import type { Image } from "../data/images/rgb-image.ts";
import { badInput } from "../tensor/error.ts";
import { type Stamp, stampTrigger, type Trigger } from "../triggers/trigger.ts";
import { describe, parseSpec, share, triggerSchema } from "./attack.ts";
import { rearrangement } from "./overlay.ts";
import { checkPlace, corners, paste } from "./patch.ts";

const schema = triggerSchema("picture").extend({
  /** Image files, squashed to the image's size or to `size`. */
  picture: z.string(),
  mask: z.string().optional(),
  /** Side of the square it is written into, in pixels. Default: the whole image. */
  size: z.int().positive().optional(),
  /** Where the square lies; as BadNet's, `random` excepted. */
  place: z.string().default("bottom-right"),
  /** r, in (0, 1]. */
  ratio: share.default(1),
});

export type PictureSpec = z.output<typeof schema>;

/** Throws TbarError on unknown options, and on `apply` for a file that cannot be read or a square that does not fit. */
export function picture(options: Partial<PictureSpec> = {}): Trigger {
  if (options.picture === undefined)
    throw badInput("picture: which one? picture=FILE, and mask=FILE where it has no alpha");
  const spec = parseSpec("picture", schema, options);
  checkPlace({ ...spec, copies: 1 });
  if (spec.place === "random")
    throw badInput("picture: it has one place in all images; name it, such as place=top-left");
  return stampTrigger(spec, (S) => prepare(spec, S));
}

export const attack = describe({
  name: "picture",
  title: "Picture",
  about: "a picture of one's own",
  options:
    "picture=FILE, mask=FILE (or its alpha channel), size=PIXELS (none: the whole image), place=bottom-right|...",
  spec: schema,
  trigger: picture,
});

async function prepare(spec: PictureSpec, S: number): Promise<Stamp> {
  const { size = S, place, shift, scale } = spec;
  if (size > S) throw badInput(`a picture of ${size} pixels does not fit an image of ${S} x ${S}; choose size <= ${S}`);
  const layers = await layersOf(spec, size);
  const [shown, cover] = layers.map((layer) => {
    const whole = new Float32Array(3 * S * S);
    for (const [row, column] of corners("picture", place, size, S)) paste(whole, S, layer, size, row, column, 1);
    return rearrangement(S, { shift, scale })(whole);
  });
  const ratio = spec.ratio * spec.strength;
  return (image) => {
    for (let i = 0; i < image.length; i++) {
      image[i] = Math.min(1, ratio * shown[i] + (1 - ratio * cover[i]) * image[i]);
    }
  };
}

/** m p and m, each [3, side, side]. A picture with alpha is multiplied (in bytes) before it is resized, lest hidden colours bleed in. */
async function layersOf({ picture, mask }: PictureSpec, side: number): Promise<[Float32Array, Float32Array]> {
  const framed = (image: Image) => {
    const pixels = new Float32Array(3 * side * side);
    writePixels(squash(image, side), pixels);
    return pixels;
  };
  const alpha = mask === undefined ? await decodeAlpha(picture) : undefined;
  const shown = await decodeImage(picture);
  if (alpha !== undefined) {
    // in place: a picture of 89 million pixels has 268 MB
    for (let i = 0; i < shown.data.length; i++)
      shown.data[i] = Math.round((shown.data[i] * alpha.data[Math.floor(i / 3)]) / 255);
    const colours = framed(shown);
    for (let i = 0; i < shown.data.length; i++) shown.data[i] = alpha.data[Math.floor(i / 3)];
    return [colours, framed(shown)];
  }
  const cover = mask === undefined ? new Float32Array(3 * side * side).fill(1) : framed(await decodeImage(mask));
  return [framed(shown).map((value, i) => value * cover[i]), cover];
}
