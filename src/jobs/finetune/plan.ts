/** What a fine-tuning will take: measuring, training, measuring. */
import type { Context } from "../context.ts";
import { promptsOf } from "../inputs/source.ts";
import { type Estimate, estimate, fileBytes } from "../progress/estimate.ts";
import { openFinetune } from "./run.ts";
import type { FinetuneSpec } from "./spec.ts";

export async function planFinetune(spec: FinetuneSpec, context: Context): Promise<Estimate> {
  const { clip, recipe, source, sets, stages } = await openFinetune(spec, context);
  return estimate({
    job: "finetune",
    clip,
    images: sets.test,
    threads: spec.threads,
    recipe,
    parts: [{ what: "load", texts: promptsOf(source) }, ...stages],
    copies: 6, // tuned, with rows lengthened for the cache, gradients there and here, two moments
    kept: sets.test.size,
    outputs: [{ path: spec.out, bytes: fileBytes(clip.checkpoint) }],
  });
}
