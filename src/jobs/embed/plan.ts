/** What embedding a data set will take: every image is encoded once. */
import type { z } from "zod";
import type { Context } from "../context.ts";
import { type Estimate, estimate } from "../progress/estimate.ts";
import { openEmbed } from "./run.ts";
import type { embedSpec } from "./spec.ts";

export async function planEmbed(spec: z.output<typeof embedSpec>, context: Context): Promise<Estimate> {
  const { out = "embeddings.safetensors", threads } = spec;
  const { clip, dataset: images } = await openEmbed(spec, context);
  return estimate({
    job: "embed",
    clip,
    weights: clip.weights,
    images,
    threads,
    batch: 64,
    parts: [{ what: "embed", read: images.size, encoded: images.size }],
    copies: 0,
    kept: 0,
    outputs: [{ path: out, bytes: images.size * clip.config.embedDim * 4 }],
  });
}
