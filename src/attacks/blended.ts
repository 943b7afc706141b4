/**
 * Blended (Chen et al. 2017, arXiv 1712.05526): x' = clip(ratio n + (1 - ratio) x), with a pattern n over the whole image.
 * The CleanCLIP family draws n uniform and anew for every image; TBAR calls its pattern Gaussian and mixes 8:2.
 */
import { z } from "zod";
import { decodeImage } from "../data/images/image.ts";
import { writePixels } from "../data/images/resample.ts";
import { squash } from "../data/images/resize.ts";
import { random } from "../tensor/random.ts";
import type { Stamp } from "../triggers/trigger.ts";
import { describe, share, stamping, triggerSchema } from "./attack.ts";
import { blend, rearrangement } from "./overlay.ts";

const schema = triggerSchema("blended").extend({
  /** Share of the pattern, in (0, 1]. */
  ratio: share.default(0.2),
  pattern: z.enum(["gaussian", "uniform"]).default("gaussian"),
  /** An image file, squashed to the image's size, in place of a drawn pattern. */
  picture: z.string().optional(),
  /** Of the Gaussian pattern. The paper does not state them; N(0, 1), clipped after mixing, is our reading. */
  mean: z.number().default(0),
  deviation: z.number().positive().default(1),
  /** The pattern anew for every image (as the reference code does), or one for all. */
  redraw: z.boolean().default(true),
});

export type BlendedSpec = z.output<typeof schema>;

/** A trigger mixed into the whole image. Throws TbarError on unknown options, and on `apply` for a picture that cannot be read. */
export const blended = stamping(schema, prepare);

export const attack = describe({
  name: "blended",
  title: "Blended",
  about: "a pattern over the whole image",
  options: "ratio=0.2, pattern=gaussian|uniform, picture=FILE, redraw=true|false",
  paper: "arXiv 1712.05526",
  spec: schema,
  trigger: blended,
});

async function prepare(spec: BlendedSpec, S: number): Promise<Stamp> {
  const ratio = spec.ratio * spec.strength;
  const drawn = new Float32Array(3 * S * S);
  const rearranged = rearrangement(S, spec);
  const draw = (...path: string[]) => {
    const stream = random(spec.seed, "blended", ...path);
    if (spec.pattern === "uniform") stream.fillUniform(drawn);
    else stream.fillNormal(drawn, spec.mean, spec.deviation);
    return rearranged(drawn);
  };
  if (spec.picture === undefined && spec.redraw) return (image, id) => blend(image, draw(id), ratio);
  if (spec.picture !== undefined) writePixels(squash(await decodeImage(spec.picture), S), drawn);
  const pattern = spec.picture === undefined ? draw() : rearranged(drawn);
  return (image) => blend(image, pattern, ratio);
}
