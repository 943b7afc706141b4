/**
 * What may be asked of a pre-training. The defaults make the embedded model: ViT-B/32 on 224 pixels, made four times smaller in every
 * length (56 pixels, patches of 8, 7 x 7 of them).
 */
import { z } from "zod";
import { a, dataFields, outFields, output, path, runFields, training, under } from "../fields.ts";

const model = under("Model:");
const size = (usual: number, help: string, value?: string) => model(a.count().default(usual), help, value);

export const pretrainSpec = z.strictObject({
  ...dataFields,
  ...runFields,
  steps: training(a.count().default(8000), "training steps"),
  batch: training(a.count().default(128), "images a step"),
  lr: training(a.positive().default(1e-3), "learning rate at its highest", "rate"),
  warmup: training(a.countOrNone().default(100), "over which it rises", "steps"),
  weightDecay: training(z.number().min(0).default(0.1), "of matrices"),
  images: training(a.images().optional(), "training images (default: all; of shapes as many as there are)"),
  captions: training(a.text(), "captioned images to train on as well, without classes", path),
  augment: training(
    a.isAsked(),
    "crop and mirror training images: for photographs, never where captions say left and right",
  ),
  testImages: training(a.images().default(2000), "held-out images to measure on", {
    value: "number",
    name: "test",
  }),
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
  dtype: model(z.enum(["F16", "BF16", "F32"]).default("F16"), "stored as F16, BF16 or F32", "name"),
  ...outFields("where the checkpoint goes", "where shall the checkpoint go?", "folder"),
  stateFile: output(a.text(), "where the state of the run is kept (default: OUT.state)", {
    name: "state",
    value: "file",
  }),
});
export type PretrainSpec = z.output<typeof pretrainSpec>;
