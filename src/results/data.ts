/** What was asked for and what was found, as results hold it. */
import { z } from "zod";
import { activations } from "../checkpoint/config/config.ts";
import type { Opened } from "./opened.ts";

const strings = z.array(z.string());
const counts = z.record(z.string(), z.number());

const openedData = z.looseObject({
  name: z.string(),
  leftOut: counts,
  notes: strings,
  broken: z.looseObject({ texts: z.number(), first: z.string() }).optional(),
  sets: z.record(z.string(), z.looseObject({ images: z.number(), asked: z.number().optional() })).optional(),
});
const openedModel = z.looseObject({
  name: z.string(),
  preprocess: z.string(),
  activation: z.enum(activations),
  assumptions: strings,
  ignored: strings,
});

/** What was found when model and data were opened. */
export const opened = z.looseObject({
  models: z.array(openedModel).optional(),
  data: z.record(z.string(), openedData).optional(),
}) as unknown as z.ZodType<Opened>;

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
  /** Clean images used for anchoring and Fisher weights. */
  clean: z.number(),
  validation: z.number(),
  test: z.number(),
  /** Test images that are not of the target class: the n of ASR. */
  testTriggered: z.number(),
  /** Images that could not be read and were left out. */
  skipped: z.number().default(0),
  /** Whether CA means accuracy or agreement with the model before. */
  labels: z.enum(["given", "agreement"]),
});
