/** What a map of the weight disentanglement error leaves behind. */
import { z } from "zod";
import { type Rate, rate as rateOf } from "../stats/rate.ts";
import {
  checkpointFacts,
  type Frozen,
  implanted,
  madeHead,
  maybe,
  ranFields,
  rate,
  trainingFields,
  warningFields,
} from "./base.ts";
import { misfit } from "./consistent.ts";
import { partCosines } from "./vector.ts";

const vector = z.looseObject({
  how: z.string().describe("Where the vector comes from, in words."),
  images: maybe(z.number(), "Images that the job fine-tuned on to make it."),
  recipe: maybe(trainingFields.recipe, "Absent where it was not fine-tuned here."),
  defaults: trainingFields.defaults,
  norm: z.number().describe("L2 norm over the image tower."),
});

const matrix = z.array(z.array(z.int().min(0)));

/** At one place of the grid. */
const place = z.looseObject({
  alphas: z.tuple([z.number(), z.number()]).describe("alpha_c and alpha_t."),
  value: z.number().describe("xi."),
  interval: z.tuple([z.number(), z.number()]),
  ca: rate,
  asr: rate,
});

export const xiResult = z.looseObject({
  ...madeHead("xi", 1),
  seed: z.number(),
  model: checkpointFacts.describe("theta_0, from which both vectors start."),
  backdoored: maybe(z.looseObject({ path: z.string(), sha256: z.string() }), "The checkpoint that names the trigger."),
  data: z.string(),
  ...implanted.shape,
  ...warningFields,
  vectors: z.looseObject({
    clean: vector.describe("tau_c."),
    trigger: vector.describe("tau_t."),
    cosine: z.number().describe("Of the angle between the two."),
    groups: partCosines.describe("The same by part of the image tower."),
  }),
  images: z.looseObject({
    clean: z.number().describe("Clean test images."),
    triggered: z.number().describe("Triggered test images of other classes than the target; no image is among both."),
  }),
  alphas: z.array(z.number()).describe("Both axes: multiples of --step from -reach to reach."),
  counts: z
    .looseObject({
      clean: matrix.describe("Clean images to which theta_0 + alpha_c tau_c alone says something else."),
      triggered: matrix.describe("Triggered images to which theta_0 + alpha_t tau_t alone says something else."),
      right: matrix.describe("Clean images that get their own label."),
      target: matrix.describe("Triggered images that are taken for the target."),
    })
    .describe("Images at each place of the grid, [alpha_c][alpha_t]."),
  xi: z.array(z.array(z.number())).describe("The error, from 0 to 2: clean / n + triggered / n."),
  region: z
    .looseObject({
      limit: z.number(),
      value: z.number(),
      interval: z.tuple([z.number(), z.number()]),
      points: z.number(),
      of: z.number(),
    })
    .describe(
      "Clean-trigger disentangled region: the share of the grid's points with xi at most the limit; the interval goes from those whose 95 % interval lies within it to those whose interval reaches it.",
    ),
  origin: place.describe("theta_0 itself."),
  together: maybe(place, "Both vectors added once: alpha_c = alpha_t = 1."),
  negated: maybe(place, "The clean one added, the trigger's subtracted: alpha_c = 1, alpha_t = -1."),
  ...ranFields,
});
export type XiResult = Frozen<z.output<typeof xiResult>>;

/** CA and ASR at a place of the grid. */
export function ratesAt(
  { counts, images }: Pick<XiResult, "counts" | "images">,
  c: number,
  t: number,
): { readonly ca: Rate; readonly asr: Rate } {
  return { ca: rateOf(counts.right[c][t], images.clean), asr: rateOf(counts.target[c][t], images.triggered) };
}

/** Throws `bad-input` on maps that are no squares of the grid's size, on more images than there are, and on an error that the counts do not make. */
export function checkXi({ alphas, counts, xi, images }: XiResult, file: string): void {
  const most = { clean: images.clean, triggered: images.triggered, right: images.clean, target: images.triggered };
  for (const [name, rows] of [...Object.entries(counts), ["xi", xi] as const]) {
    if (rows.length !== alphas.length || rows.some((row) => row.length !== alphas.length))
      throw misfit(file, `${name} is no map of ${alphas.length} x ${alphas.length}`);
    const limit = most[name as keyof typeof most] ?? 2;
    if (rows.flat().some((value) => !(value >= 0 && value <= limit)))
      throw misfit(file, `${name} holds more than ${limit}`);
  }
  for (const [c, row] of xi.entries())
    for (const [t, value] of row.entries()) {
      const made = counts.clean[c][t] / images.clean + counts.triggered[c][t] / images.triggered;
      if (Math.abs(value - made) > 1e-9)
        throw misfit(file, `xi at ${alphas[c]}, ${alphas[t]} is ${value}; the counts make ${made}`);
    }
}
