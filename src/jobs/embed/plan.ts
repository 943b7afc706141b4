/** What embedding a data set will take: every image is encoded once. */
import type { Context } from "../context.ts";
import { type Estimate, estimate } from "../progress/estimate.ts";
import { openEmbed } from "./run.ts";
import type { EmbedSpec } from "./spec.ts";

export async function planEmbed(spec: EmbedSpec, context: Context): Promise<Estimate> {
  const { out = "embeddings.safetensors", threads } = spec;
  const { clip, dataset: images } = await openEmbed(spec, context);
  return estimate({
    job: "embed",
    clip,
    images,
    threads,
    parts: [{ what: "embed", read: images.size, encoded: images.size }],
    outputs: [{ path: out, bytes: images.size * clip.config.embedDim * 4 }],
  });
}
