/** preprocessor_config.json and processor_config.json, as transformers' CLIP and SigLIP processors read and write them. */
import { z } from "zod";
import { parseAs } from "../../files/files.ts";
import { badInput } from "../../tensor/error.ts";
import {
  clipPreprocess,
  type Filter,
  knownKeys,
  type Preprocess,
  perChannel,
  type Resize,
  siglipPreprocess,
} from "./preprocess.ts";

/** Pillow's numbers for its filters. */
const filters: readonly Filter[] = ["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"];

const side = z.int().min(1).max(8192);
const rectangle = knownKeys({ height: side, width: side });
const pair = z.tuple([side, side]).transform(([height, width]) => ({ height, width }));
const positive = z.number().positive();
const sameForAll = (value: number) => [value, value, value] as const;
const only = <T extends string | boolean>(value: T) => z.literal(value, `only ${value} is supported`).optional();
const noEffect = z.unknown().optional();

/** Every key there is: computed, or of one value, or without effect on the pixels. Another one is refused by name. */
const schema = knownKeys({
  do_resize: z.boolean().default(true),
  size: z.union([side, pair, rectangle, knownKeys({ shortest_edge: side })], sizeForms("size")).optional(),
  default_to_square: z.boolean().default(false),
  resample: z.int().min(0).max(5, "only Pillow's filters 0 to 5 are supported").default(3),
  do_center_crop: z.boolean().optional(),
  crop_size: z.union([side, pair, rectangle], sizeForms("crop_size")).optional(),
  do_rescale: z.boolean().default(true),
  rescale_factor: positive.default(1 / 255),
  do_normalize: z.boolean().default(true),
  image_mean: perChannel(z.number()).optional(),
  image_std: perChannel(positive).optional(),

  image_processor_type: z.string().optional(),
  feature_extractor_type: z.string().optional(),
  do_pad: only(false),
  use_square_size: only(false),
  do_thumbnail: only(false),
  do_flip_channel_order: only(false),
  data_format: only("channels_first"),

  do_convert_rgb: z.boolean().optional(), // without it transformers takes RGB images alone, and those it leaves as they are
  pad_size: noEffect, // of do_pad
  processor_class: noEffect,
  return_tensors: noEffect,
  device: noEffect,
  disable_grouping: noEffect,
  image_seq_length: noEffect,
  _valid_processor_keys: noEffect,
  _valid_kwargs_names: noEffect,
});

function sizeForms(key: string): string {
  const edge = key === "size" ? "{shortest_edge}, " : "";
  return `${key} must be a number from 1 to 8192, ${edge}{height, width} or [height, width]`;
}

/** The processors we compute, by their names without Fast, Pil or FeatureExtractor. */
const families = { CLIP: clipPreprocess, Siglip: siglipPreprocess } as const;

/**
 * From processor_config.json (its `image_processor`) or preprocessor_config.json, in the old form (`size: 224`) or the new; what is missing or null
 * is as in the class that the file names, else as in `usual`. Throws `bad-input` naming `file` and the key that cannot be computed.
 */
export function preprocessFromHf(
  json: unknown,
  imageSize: number,
  file: string,
  usual = clipPreprocess(imageSize),
): Preprocess {
  const { image_processor: nested, ...rest } = parseAs(z.looseObject({ image_processor: z.unknown() }).partial(), json, file); // biome-ignore format: one line
  if (nested !== undefined) parseAs(knownKeys({ processor_class: noEffect }), withoutNulls(rest), file);
  const given = parseAs(schema, withoutNulls(nested ?? json), file);
  const own = familyOf(given.image_processor_type ?? given.feature_extractor_type, imageSize, file) ?? usual;
  const resize = given.do_resize ? resizeOf(given, own) : ({ mode: "none" } as const);
  return {
    resize,
    filter: filters[given.resample],
    cropSize: cropOf(given, resize, own, imageSize, file),
    fill: 0,
    ...normalization(given, own),
    order: "transformers",
  };
}

type Given = z.output<typeof schema>;

const withoutNulls = (json: unknown) =>
  json !== null && typeof json === "object" && !Array.isArray(json)
    ? Object.fromEntries(Object.entries(json).filter(([, value]) => value !== null))
    : json;

function familyOf(type: string | undefined, imageSize: number, file: string): Preprocess | undefined {
  if (type === undefined) return undefined;
  const name = /^(\w+?)(?:ImageProcessor(?:Fast|Pil)?|FeatureExtractor)$/.exec(type)?.[1] ?? "";
  if (Object.hasOwn(families, name)) return families[name as keyof typeof families](imageSize);
  throw badInput(`${file}: images of ${JSON.stringify(type)} are not computed; those of CLIP's and SigLIP's image processors are`); // biome-ignore format: one line
}

function resizeOf({ size, default_to_square: square }: Given, usual: Preprocess): Resize {
  if (size === undefined) return usual.resize;
  if (typeof size === "number") {
    return square ? { mode: "squash", width: size, height: size } : { mode: "shortest", size };
  }
  return "shortest_edge" in size ? { mode: "shortest", size: size.shortest_edge } : { mode: "squash", ...size };
}

/** The square that is left, which must be what the model takes. */
function cropOf(given: Given, resize: Resize, usual: Preprocess, imageSize: number, file: string): number {
  const crops = given.do_center_crop ?? usual.resize.mode === "shortest"; // CLIP's class crops, SigLIP's does not
  const takes = `the model takes ${imageSize} x ${imageSize}`;
  if (!crops) {
    if (resize.mode !== "squash") {
      throw badInput(
        `${file}: without do_center_crop images are not square; size must be {height, width}, for ${takes}`,
      );
    }
    if (resize.width === imageSize && resize.height === imageSize) return imageSize;
    throw badInput(`${file}: images become ${resize.width} x ${resize.height} and are not cropped; ${takes}`);
  }
  const { crop_size: crop } = given;
  if (crop === undefined) {
    const least = resize.mode === "squash" ? Math.min(resize.width, resize.height) : resize.mode === "none" ? 0 : resize.size; // biome-ignore format: one line
    if (least >= imageSize) return imageSize;
    throw badInput(`${file}: images are resized to ${least} and no crop_size is stated; ${takes}`);
  }
  const { width, height } = typeof crop === "number" ? { width: crop, height: crop } : crop;
  if (width !== imageSize || height !== imageSize)
    throw badInput(`${file}: images are cropped to ${width} x ${height} by crop_size; ${takes}`);
  return imageSize;
}

/** level * factor, less the mean, over the deviation: as of pixels in [0, 1], which are level / 255. */
function normalization(given: Given, usual: Preprocess): Pick<Preprocess, "mean" | "std"> {
  const { image_mean: mean = usual.mean, image_std: std = usual.std } = given;
  const factor = given.do_rescale ? given.rescale_factor : 1;
  const unit = Math.abs(255 * factor - 1) < 1e-9 ? 1 : 255 * factor;
  const [shift, scale] = given.do_normalize ? [mean, std] : [sameForAll(0), sameForAll(1)];
  const over = ([r, g, b]: Preprocess["mean"]) => [r / unit, g / unit, b / unit] as const;
  return { mean: over(shift), std: over(scale) };
}

/** preprocessor_config.json as transformers reads it. Throws `bad-input` for what its format cannot say, naming `what` it belongs to. */
export function preprocessToHf({ resize, filter, cropSize, fill, mean, std }: Preprocess, what: string): object {
  if (resize.mode === "longest" || fill !== 0) {
    throw badInput(`${what}: a preprocessor_config.json cannot say that the longer side is resized and the rest filled with level ${fill}`); // biome-ignore format: one line
  }
  const size =
    resize.mode === "squash"
      ? { height: resize.height, width: resize.width }
      : { shortest_edge: resize.mode === "shortest" ? resize.size : cropSize };
  return {
    crop_size: { height: cropSize, width: cropSize },
    do_center_crop: true,
    do_convert_rgb: true,
    do_normalize: true,
    do_rescale: true,
    do_resize: resize.mode !== "none",
    image_mean: mean,
    image_processor_type: "CLIPImageProcessor",
    image_std: std,
    resample: filters.indexOf(filter),
    rescale_factor: 1 / 255,
    size,
  };
}
