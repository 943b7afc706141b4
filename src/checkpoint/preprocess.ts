/** How an image becomes the model's pixels, read from the JSON files that lie beside the weights. */
import { z } from "zod";
import { badInput } from "../tensor/error.ts";
import { parseAs } from "./files.ts";

export type Resample = "nearest" | "lanczos" | "bilinear" | "bicubic";

export interface Preprocess {
  /** Resized to this: the shorter side for `shortest`, both sides for `squash`. */
  readonly size: number;
  /** The square cut out of the middle, at most `size`: what the model sees. */
  readonly cropSize: number;
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  readonly mode: "shortest" | "squash";
  readonly resample: Resample;
}

/** CLIP's own: shorter side to the image size, bicubic, centre crop. */
export function clipPreprocess(imageSize: number): Preprocess {
  return {
    size: imageSize,
    cropSize: imageSize,
    mean: [0.48145466, 0.4578275, 0.40821073],
    std: [0.26862954, 0.26130258, 0.27577711],
    mode: "shortest",
    resample: "bicubic",
  };
}

/** SigLIP's own: both sides to the image size, bicubic, pixels from -1 to 1. SigLIP 2 is bilinear; its files say so. */
export function siglipPreprocess(imageSize: number): Preprocess {
  return { ...clipPreprocess(imageSize), mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], mode: "squash" };
}

/** Pillow's numbers for its filters. */
const PILLOW: readonly Resample[] = ["nearest", "lanczos", "bilinear", "bicubic"];

const size = z.int().min(1).max(8192);
const square = z
  .object({ height: size, width: size })
  .refine(({ height, width }) => height === width, "only squares are supported")
  .transform(({ height }) => height);
const channels = z.tuple([z.number(), z.number(), z.number()]);
const positive = z.number().positive();
const std = z.tuple([positive, positive, positive]);
const on = z.literal(true, "only true is supported").default(true);

const hfSchema = z.object({
  size: z
    .union([
      size.transform((side) => ({ mode: "shortest" as const, size: side })),
      z.object({ shortest_edge: size }).transform((edge) => ({ mode: "shortest" as const, size: edge.shortest_edge })),
      square.transform((side) => ({ mode: "squash" as const, size: side })),
    ])
    .optional(),
  crop_size: z.union([size, square]).optional(),
  resample: z.int().min(0).max(3).default(3),
  image_mean: channels.optional(),
  image_std: std.optional(),
  do_resize: on,
  do_normalize: on,
  do_rescale: on,
  do_center_crop: z.boolean().default(true),
  rescale_factor: z
    .number()
    .min(0.00392)
    .max(0.00393, "only 1/255 is supported")
    .default(1 / 255),
});

/**
 * From processor_config.json (its `image_processor`) or preprocessor_config.json, old form (`size: 224`) or new; what is
 * missing is as in `usual`. Throws `bad-input` naming `file`, and when the crop is not what the model sees.
 */
export function preprocessFromHf(
  json: unknown,
  imageSize: number,
  file: string,
  usual = clipPreprocess(imageSize),
): Preprocess {
  const { image_processor: nested } = parseAs(z.looseObject({ image_processor: z.unknown().optional() }), json, file);
  const given = parseAs(hfSchema, nested ?? json, file);
  const { mode, size } = given.size ?? usual;
  const cropSize = given.do_center_crop ? (given.crop_size ?? size) : size;
  if (!given.do_center_crop && mode === "shortest") {
    throw badInput(`${file}: without do_center_crop the size must be {height, width}, or images are not square`);
  }
  if (cropSize !== imageSize || size < cropSize) {
    throw badInput(`${file}: images are resized to ${size} and cropped to ${cropSize}, the model takes ${imageSize}`);
  }
  const { image_mean: mean = usual.mean, image_std: std = usual.std } = given;
  return { size, cropSize, mean, std, mode, resample: PILLOW[given.resample] };
}

const openClipSchema = z.object({
  preprocess_cfg: z
    .object({
      mean: channels.optional(),
      std: std.optional(),
      interpolation: z.enum(["bicubic", "bilinear"]).default("bicubic"),
      resize_mode: z.enum(["shortest", "squash"]).default("shortest"),
    })
    .prefault({}),
});

/** From open_clip_config.json; what is missing is CLIP's. */
export function preprocessFromOpenClip(json: unknown, imageSize: number, file: string): Preprocess {
  const { preprocess_cfg: given } = parseAs(openClipSchema, json, file);
  const usual = clipPreprocess(imageSize);
  const { mean = usual.mean, std = usual.std, resize_mode: mode, interpolation: resample } = given;
  return { ...usual, mean, std, mode, resample };
}

/** preprocessor_config.json as transformers reads it. */
export function preprocessToHf({ size, cropSize, mean, std, mode, resample }: Preprocess): object {
  return {
    crop_size: { height: cropSize, width: cropSize },
    do_center_crop: true,
    do_convert_rgb: true,
    do_normalize: true,
    do_rescale: true,
    do_resize: true,
    image_mean: mean,
    image_processor_type: "CLIPImageProcessor",
    image_std: std,
    resample: PILLOW.indexOf(resample),
    rescale_factor: 1 / 255,
    size: mode === "squash" ? { height: size, width: size } : { shortest_edge: size },
  };
}
