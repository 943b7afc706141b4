/** What a job works on: a figure means what its images, labels and assumptions make it mean. */
import { z } from "zod";
import { activations } from "../checkpoint/config/config.ts";
import { type Frozen, maybe, strings } from "./field.ts";

const openedData = z.looseObject({
  name: z.string(),
  images: maybe(z.number(), "Absent for the built-in world, which draws as many as are asked for."),
  classes: z.number().optional(),
  least: maybe(z.number(), "Images in the class that has least."),
  most: maybe(z.number(), "Images in the class that has most."),
  labelled: maybe(z.number(), "Images with a label, where not all have one."),
  captioned: maybe(z.number(), "Images with a caption, where not all have one."),
  labels: maybe(z.string(), "Where labels come from."),
  captions: maybe(z.string(), "Where captions come from."),
  classNames: maybe(z.string(), "Where the names of classes come from."),
  leftOut: z
    .record(z.string(), z.number())
    .describe("What lies there and is not used, counts by kind; images that could not be read among it."),
  broken: maybe(
    z.looseObject({ texts: z.number(), first: z.string() }),
    "Texts that look as if once read in the wrong encoding; used as they are.",
  ),
  notes: strings.describe("What was assumed."),
  sets: maybe(
    z.record(z.string(), z.looseObject({ images: z.number(), asked: z.number().optional() })),
    "Images in each set that was drawn; what was asked for, where there were too few.",
  ),
});
export type OpenedData = Frozen<z.output<typeof openedData>>;

const openedModel = z.looseObject({
  name: z.string(),
  preprocess: z.string(),
  activation: z.enum(activations),
  assumptions: strings.describe("What the checkpoint does not say and was taken for granted."),
  ignored: strings.describe("Tensors that were passed over because the user said so."),
});
export type OpenedModel = Frozen<z.output<typeof openedModel>>;

export const opened = z
  .looseObject({
    models: z.array(openedModel).optional(),
    data: maybe(z.record(z.string(), openedData), "By what it is for: data, test, validation, captions."),
  })
  .describe("What was found when models and data were opened.");
export type Opened = Frozen<z.output<typeof opened>>;
