/** What a map will take: two fine-tunings at most, and a model for each place of the grid. */
import type { Context } from "../context.ts";
import { promptsOf } from "../inputs/source.ts";
import { type Estimate, estimate } from "../progress/estimate.ts";
import type { Part } from "../progress/stages.ts";
import { type Prepared, prepare, trains } from "./prepare.ts";
import type { XiSpec } from "./spec.ts";

export async function planXi(spec: XiSpec, context: Context): Promise<Estimate> {
  const ready = await prepare(spec, context);
  const { clip, source, clean, triggered, recipes } = ready;
  return estimate({
    job: "xi",
    clip,
    images: clean,
    threads: spec.threads,
    batch: Math.max(recipes.clean.recipe.batch, recipes.trigger.recipe.batch),
    parts: [{ what: "load", texts: promptsOf(source) }, ...stagesOf(spec, ready)],
    copies: 6, // tuned, with rows lengthened for the cache, gradients there and here, two moments; on the grid two vectors and a model
    kept: clean.size + triggered.size,
    outputs: [{ path: spec.report, bytes: 2 ** 20 }],
  });
}

/** On the axes one of the two sets has been asked already. */
export function stagesOf(
  spec: XiSpec,
  { finetune, forget, clean, triggered, alphas, recipes }: Prepared,
): readonly Part[] {
  const makes = trains(spec);
  const images = clean.size + triggered.size;
  return [
    ...(makes.clean ? [{ what: "tau_c", trained: finetune.size * recipes.clean.recipe.epochs }] : []),
    ...(makes.trigger ? [{ what: "tau_t", trained: forget.size * recipes.trigger.recipe.epochs }] : []),
    { what: "grid", read: images, encoded: alphas.length ** 2 * images },
  ];
}
