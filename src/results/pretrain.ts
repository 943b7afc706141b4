/** What a pre-training leaves behind. */
import { z } from "zod";
import { type Frozen, machine, madeHead, maybe, rate } from "./base.ts";

export const pretrainResult = z.looseObject({
  ...madeHead("pretrain", 2),
  seed: z.number(),
  data: z.string(),
  parameters: z.number(),
  ca: maybe(rate, "Zero-shot accuracy on held-out images, of the file as stored; absent without classes."),
  steps: z.number(),
  images: z.number(),
  seconds: z.number().describe("Of the whole job, over all its parts if it was resumed."),
  imagesPerSecond: z.number().describe("Of training alone."),
  output: z.looseObject({ path: z.string() }),
  machine,
});
export type PretrainResult = Frozen<z.output<typeof pretrainResult>>;
