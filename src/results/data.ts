/** What was asked for and what was measured, as results hold it. */
import { z } from "zod";

const counts = z.record(z.string(), z.number());

/** Hashes of what was measured: the weights, the test images, the triggered ones among them. */
export const measuredOn = z.looseObject({
  weights: z.string().optional(),
  test: z.string(),
  triggered: z.string().optional(),
});

/** The options that decide which images are drawn: with them `tbar eval --receipt` draws the same again. */
export const inputs = z.looseObject({
  data: z.string(),
  testData: z.string().optional(),
  validationData: z.string().optional(),
  classesFile: z.string().optional(),
  templatesFile: z.string().optional(),
  skipBad: z.boolean().optional(),
  encoding: z.string().optional(),
  sizes: counts,
});

export const dataUse = z.looseObject({
  name: z.string(),
  forget: z.number(),
  clean: z.number().describe("Clean images used for anchoring and Fisher weights."),
  validation: z.number(),
  test: z.number(),
  testTriggered: z.number().describe("Test images that are not of the target class: the n of ASR."),
  skipped: z.number().default(0).describe("Images that could not be read and were left out."),
  labels: z.enum(["given", "agreement"]).describe("Whether CA means accuracy or agreement with the model before."),
});
