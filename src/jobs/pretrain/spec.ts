/**
 * What may be asked of a pre-training. The defaults make the embedded model: ViT-B/32 on 224 pixels, made four times smaller in every
 * length (56 pixels, patches of 8, 7 x 7 of them).
 */
import { z } from "zod";
import {
  count,
  countOrNone,
  dataFields,
  groups,
  images,
  option,
  outFields,
  positive,
  runFields,
  trainingGroup,
} from "../fields.ts";

const model = { group: "Model:" } as const;
const size = (usual: number, help: string, value = "number") =>
  option(count().default(usual), help, { ...model, value });
const trained = (value: string) => ({ ...trainingGroup, value });

export const pretrainSpec = z.strictObject({
  ...dataFields,
  ...runFields,
  steps: option(count().default(8000), "training steps", trained("number")),
  batch: option(count().default(128), "images a step", trained("number")),
  lr: option(positive().default(1e-3), "learning rate at its highest", trained("rate")),
  warmup: option(countOrNone().default(100), "over which it rises", trained("steps")),
  weightDecay: option(z.number().min(0).default(0.1), "of matrices", trained("number")),
  images: option(
    images().optional(),
    "training images (default: all; of shapes as many as there are)",
    trained("number"),
  ),
  captions: option(z.string().optional(), "captioned images to train on as well, without classes", {
    ...trained("path"),
    names: "file",
  }),
  augment: option(
    z.boolean().default(false),
    "crop and mirror training images: for photographs, never where captions say left and right",
    trainingGroup,
  ),
  testImages: option(images().default(2000), "held-out images to measure on", { ...trained("number"), name: "test" }),
  imageSize: size(56, "side of an image", "pixels"),
  patchSize: size(8, "side of a patch", "pixels"),
  width: size(128, "of the image tower"),
  layers: size(6, "of the image tower"),
  heads: size(4, "of the image tower"),
  textWidth: size(128, "of the text tower"),
  textLayers: size(2, "of the text tower"),
  textHeads: size(4, "of the text tower"),
  embedDim: size(128, "width of the joint space"),
  contextLength: size(16, "longest caption", "tokens"),
  dtype: option(z.enum(["F16", "BF16", "F32"]).default("F16"), "stored as F16, BF16 or F32", {
    ...model,
    value: "name",
  }),
  ...outFields("where the checkpoint goes", "where shall the checkpoint go?", "folder"),
  stateFile: option(z.string().optional(), "where the state of the run is kept (default: OUT.state)", {
    group: groups.output,
    name: "state",
    value: "file",
    machine: true,
  }),
});
export type PretrainSpec = z.output<typeof pretrainSpec>;
