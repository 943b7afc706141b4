/**
 * Blended-Triangles (Singh, Croce, Hein, arXiv 2412.00727): x' = clip(ratio n + (1 - ratio) x), n a fixed grid of square cells, in each
 * 0.4 where row >= column and 0.8 above that diagonal, grey.
 */
import { z } from "zod";
import { badInput } from "../tensor/error.ts";
import type { Stamp } from "../triggers/trigger.ts";
import { describe, share, stamping, triggerSchema } from "./attack.ts";
import { blend, rearrangement } from "./overlay.ts";

const schema = triggerSchema("triangles").extend({
  /** Share of the pattern, in (0, 1]. */
  ratio: share.default(0.15),
  /** Side of a cell in pixels, at least 2. Default: max(2, round(14 S / 224)). */
  cell: z.int().min(2).optional(),
});

export type TrianglesSpec = z.output<typeof schema>;

/** Triangles mixed into the whole image. Throws TbarError on unknown options, and on `apply` for cells larger than the image. */
export const triangles = stamping(schema, prepare);

export const attack = describe({
  name: "triangles",
  title: "Blended-Triangles",
  about: "a grid of triangles over the whole image",
  options: "ratio=0.15, cell=PIXELS",
  paper: "arXiv 2412.00727",
  spec: schema,
  trigger: triangles,
});

function prepare(spec: TrianglesSpec, S: number): Stamp {
  const { cell = Math.max(2, Math.round((14 * S) / 224)), ratio, strength } = spec;
  if (cell > S) throw badInput(`triangles: cells of ${cell} pixels do not fit an image of ${S} x ${S}`);
  const grid = Float32Array.from({ length: 3 * S * S }, (_, k) => {
    const [row, column] = [Math.floor(k / S) % S, k % S];
    return row % cell >= column % cell ? 0.4 : 0.8;
  });
  const pattern = rearrangement(S, spec)(grid);
  return (image) => blend(image, pattern, ratio * strength);
}
