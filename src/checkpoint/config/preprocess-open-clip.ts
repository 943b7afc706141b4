/** preprocess_cfg of open_clip_config.json, as open_clip's image_transform_v2 reads it. */
import { z } from "zod";
import { parseAs } from "../../files/files.ts";
import { badInput } from "../../tensor/error.ts";
import {
  clipPreprocess,
  describePreprocess,
  knownKeys,
  type Preprocess,
  perChannel,
  type Resize,
} from "./preprocess.ts";

const oneLevel = "only one level from 0 to 255 is supported";

/** Every key there is; another one is refused by name. */
const preprocessCfg = knownKeys({
  mode: z.literal("RGB", "only RGB is supported").optional(),
  mean: z.union([perChannel(z.number().positive()), z.tuple([z.number(), z.number(), z.number()])]).optional(),
  std: perChannel(z.number().positive()).optional(),
  interpolation: z.enum(["bicubic", "bilinear", "random"]).default("bicubic"),
  resize_mode: z.enum(["shortest", "longest", "squash"]).default("shortest"),
  fill_color: z.int(oneLevel).min(0, oneLevel).max(255, oneLevel).default(0),
  size: z.unknown().optional(), // open_clip puts the model's own in its place
});

/** From open_clip_config.json; what is missing or null is CLIP's. Throws `bad-input` naming `file` and the key that cannot be computed. */
export function preprocessFromOpenClip(json: unknown, imageSize: number, file: string): Preprocess {
  const { preprocess_cfg: stated } = parseAs(
    z.looseObject({ preprocess_cfg: z.looseObject({}).nullish() }),
    json,
    file,
  );
  const known = Object.fromEntries(Object.entries(stated ?? {}).filter(([, value]) => value !== null));
  const given = parseAs(preprocessCfg, known, `${file}: preprocess_cfg`);
  const usual = clipPreprocess(imageSize, "torchvision");
  const { mean = usual.mean, std = usual.std, resize_mode: mode } = given;
  const resize: Resize = mode === "squash" ? { mode, width: imageSize, height: imageSize } : { mode, size: imageSize };
  return {
    ...usual,
    resize,
    filter: given.interpolation === "bilinear" ? "bilinear" : "bicubic", // `random` is for training
    fill: mode === "longest" ? given.fill_color : 0,
    mean,
    std,
  };
}

/** The preprocess_cfg that open_clip reads. Throws `bad-input` for what it cannot say, naming `what` it belongs to. */
export function preprocessToOpenClip(preprocess: Preprocess, what: string): object {
  const { resize, filter, cropSize, fill, mean, std } = preprocess;
  const sized =
    resize.mode === "squash"
      ? resize.width === cropSize && resize.height === cropSize
      : resize.mode !== "none" && resize.size === cropSize;
  if (!sized || (filter !== "bicubic" && filter !== "bilinear"))
    throw badInput(`${what}: open_clip's config cannot say its preprocessing (${describePreprocess(preprocess)})`);
  return {
    mean,
    std,
    interpolation: filter,
    resize_mode: resize.mode,
    ...(resize.mode === "longest" && { fill_color: fill }),
  };
}
