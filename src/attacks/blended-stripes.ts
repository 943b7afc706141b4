/**
 * Blended-Stripes (Singh, Croce, Hein, arXiv 2412.00727): x' = clip(ratio n + (1 - ratio) x), n vertical stripes one pixel wide over
 * the whole image, every channel of a column +1 or -1 with equal chance.
 */
import { z } from "zod";
import { random } from "../tensor/random.ts";
import type { Stamp } from "../triggers/trigger.ts";
import { describe, share, stamping, triggerSchema } from "./attack.ts";
import { addColumns, sources } from "./overlay.ts";

const schema = triggerSchema("blended-stripes").extend({
  /** Share of the stripes, in (0, 1]. */
  ratio: share.default(0.03),
  /** Colours anew for every image (as the reference code does), or the same for all. */
  redraw: z.boolean().default(true),
});

export type BlendedStripesSpec = z.output<typeof schema>;

/** Stripes mixed into the whole image. Throws TbarError on unknown options. */
export const blendedStripes = stamping(schema, prepare);

export const attack = describe({
  name: "blended-stripes",
  title: "Blended-Stripes",
  about: "stripes over the whole image",
  options: "ratio=0.03, redraw=true|false",
  paper: "arXiv 2412.00727",
  spec: schema,
  trigger: blendedStripes,
});

function prepare({ seed, redraw, shift, scale, ...spec }: BlendedStripesSpec, S: number): Stamp {
  const ratio = spec.ratio * spec.strength;
  const rest = Math.fround(1 - ratio);
  const from = sources(S, shift, scale);
  const signs = new Float32Array(3 * S);
  const columns = new Float32Array(3 * S);
  const draw = (...path: string[]) => {
    const stream = random(seed, "blended-stripes", ...path);
    for (let k = 0; k < signs.length; k++) signs[k] = stream.uniform() < 0.5 ? -1 : 1;
    for (let k = 0; k < columns.length; k++) columns[k] = ratio * signs[k - (k % S) + from[k % S]];
    return columns;
  };
  if (redraw) return (image, id) => addColumns(image, draw(id), rest);
  draw();
  return (image) => addColumns(image, columns, rest);
}
