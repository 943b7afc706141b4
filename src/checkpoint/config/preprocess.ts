/** How an image becomes the model's pixels: one value, which all that reads images is handed. */
import { z } from "zod";

/** Pillow's filters. */
export type Filter = "nearest" | "lanczos" | "bilinear" | "bicubic" | "box" | "hamming";

/** What becomes of an image's sides. */
export type Resize =
  /** The image keeps its sides. */
  | { readonly mode: "none" }
  /** The shorter side becomes `size`, the other in proportion. */
  | { readonly mode: "shortest"; readonly size: number }
  /** The longer side becomes `size`, the other in proportion. */
  | { readonly mode: "longest"; readonly size: number }
  /** Both sides, their proportions lost. */
  | { readonly mode: "squash"; readonly width: number; readonly height: number };

export interface Preprocess {
  readonly resize: Resize;
  readonly filter: Filter;
  /** The square in the middle, which is what the model sees; a smaller image gets a border. */
  readonly cropSize: number;
  /** Level of the border, 0 to 255. */
  readonly fill: number;
  /** Of pixels in [0, 1]. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
  /**
   * Whose arithmetic. transformers: converts to RGB first; a middle of half a pixel is the one to the left. torchvision, as open_clip and OpenAI use it:
   * resizes the image as it is stored (a palette by the nearest pixel, colours times alpha), then converts; half a pixel goes to the even side.
   */
  readonly order: "transformers" | "torchvision";
}

/** CLIP's own: shorter side to the image size, bicubic, the middle. */
export function clipPreprocess(imageSize: number, order: Preprocess["order"] = "transformers"): Preprocess {
  return {
    resize: { mode: "shortest", size: imageSize },
    filter: "bicubic",
    cropSize: imageSize,
    fill: 0,
    mean: [0.48145466, 0.4578275, 0.40821073],
    std: [0.26862954, 0.26130258, 0.27577711],
    order,
  };
}

/** SigLIP's own: both sides to the image size, bicubic, pixels from -1 to 1. SigLIP 2 is bilinear; its files say so. */
export function siglipPreprocess(imageSize: number): Preprocess {
  const half = [0.5, 0.5, 0.5] as const;
  const resize = { mode: "squash", width: imageSize, height: imageSize } as const;
  return { ...clipPreprocess(imageSize), resize, mean: half, std: half };
}

/** In a sentence: `shorter side to 224, bicubic, middle 224 x 224`. Mean and deviation follow where they are not CLIP's. */
export function describePreprocess({ resize, filter, cropSize, fill, mean, std }: Preprocess): string {
  const square = `${cropSize} x ${cropSize}`;
  const parts = [resizeText(resize)];
  if (resize.mode !== "none") parts.push(filter);
  const whole = resize.mode === "squash" && resize.width === cropSize && resize.height === cropSize;
  if (resize.mode === "longest") parts.push(`padded to ${square} with level ${fill}`);
  else if (!whole) parts.push(`middle ${square}${mayPad(resize, cropSize) ? `, padded with level ${fill}` : ""}`);
  const usual = clipPreprocess(cropSize);
  if (String([mean, std]) !== String([usual.mean, usual.std])) {
    parts.push(`mean ${mean.map(short).join(" ")}, deviation ${std.map(short).join(" ")}`);
  }
  return parts.join(", ");
}

function resizeText(resize: Resize): string {
  if (resize.mode === "none") return "not resized";
  if (resize.mode === "squash") return `squashed to ${resize.width} x ${resize.height}`;
  return `${resize.mode === "shortest" ? "shorter" : "longer"} side to ${resize.size}`;
}

function mayPad(resize: Resize, cropSize: number): boolean {
  if (resize.mode === "squash") return Math.min(resize.width, resize.height) < cropSize;
  return resize.mode === "none" || resize.size < cropSize;
}

const short = (value: number) => String(Number(value.toPrecision(4)));

/** What to tell of a model whose files go to the other kind of program; undefined where nothing changes. */
export function orderChange(from: Preprocess["order"], to: Preprocess["order"]): string | undefined {
  if (from === to) return undefined;
  const [reader, other] = to === "transformers" ? ["transformers", "open_clip"] : ["open_clip", "transformers"];
  return `${reader} reads images with transparency, a palette or an odd margin a little differently from ${other}, and so do the files written here (docs/data.md)`;
}

/** An object of these keys and no others: what is not known cannot be computed, and is named. */
export function knownKeys<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? `${issue.keys.join(", ")} is not known here, so it cannot be computed`
        : undefined,
  });
}

/** Three numbers, or one for all channels. */
export const perChannel = (value: z.ZodNumber) =>
  z.union([z.tuple([value, value, value]), value.transform((v) => [v, v, v] as const)]);

/** The same for a model that sees `size` x `size`. */
export function preprocessAtSize(preprocess: Preprocess, size: number): Preprocess {
  const { resize, cropSize } = preprocess;
  const scaled = (side: number) => Math.max(1, Math.round((side * size) / cropSize));
  if (resize.mode === "none") return { ...preprocess, cropSize: size };
  const sides = resize.mode === "squash" ? { ...resize, width: scaled(resize.width), height: scaled(resize.height) } : { ...resize, size: scaled(resize.size) }; // biome-ignore format: one line
  return { ...preprocess, resize: sides, cropSize: size };
}
