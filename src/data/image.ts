/** Image files to pixels, as Pillow's `Image.open(file).convert("RGB")` gives them. */
import { readFile } from "node:fs/promises";
import type { Metadata, Sharp } from "sharp";
import { badInput } from "../tensor/error.ts";

/** 8-bit R,G,B, row by row: [height, width, 3]. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Pillow warns of a decompression bomb above it. */
const maxPixels = 89_478_485;
/** The longest side a JPEG can have. */
const maxSide = 65_535;

/** File name endings we read, lower case. */
export const imageEndings: readonly string[] = [".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".avif"];

/**
 * Decode a file. Like Pillow (and so CLIP): no turning by EXIF, no colour profile, alpha dropped, the first frame only.
 * Throws TbarError naming the file when it is missing, not an image, damaged, cut short, or above 89 million pixels.
 */
export function decodeImage(file: string): Promise<Image> {
  return withImage(file, (image, metadata) =>
    metadata.space === "cmyk" ? decodeCmyk(image) : decodeRgb(image, metadata),
  );
}

/** How opaque each pixel of a file is, as a grey image of its size; undefined where it has no alpha. Throws as `decodeImage`. */
export function decodeAlpha(file: string): Promise<Image | undefined> {
  return withImage(file, async (image, { hasAlpha }) => {
    if (!hasAlpha) return undefined;
    const { data, info } = await image.toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
    if (info.channels !== 4) throw new Error(`${info.channels} channels`);
    const grey = Uint8Array.from({ length: 3 * info.width * info.height }, (_, i) => data[4 * Math.floor(i / 3) + 3]);
    return { width: info.width, height: info.height, data: grey };
  });
}

async function withImage<T>(file: string, decode: (image: Sharp, metadata: Metadata) => Promise<T>): Promise<T> {
  const { default: sharp } = await import("sharp"); // 25 ms and a native library: only who reads images loads it
  try {
    const open = () => sharp(bytes, { ignoreIcc: true, limitInputPixels: maxPixels, failOn: "error" });
    const bytes = await readFile(file);
    const metadata = await open().metadata();
    if (Math.max(metadata.width, metadata.height) > maxSide) throw new Error(`a side of more than ${maxSide} pixels`);
    return await decode(open(), metadata);
  } catch (cause) {
    throw badInput(`cannot read image ${file}: ${reason(cause)}`, cause);
  }
}

async function decodeRgb(image: Sharp, { hasAlpha }: Metadata): Promise<Image> {
  const opaque = hasAlpha ? image.removeAlpha() : image;
  const { data, info } = await opaque.toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`${info.channels} channels`);
  return { width: info.width, height: info.height, data };
}

async function decodeCmyk(image: Sharp): Promise<Image> {
  const raw = image.pipelineColourspace("cmyk").toColourspace("cmyk").raw();
  const { data, info } = await raw.toBuffer({ resolveWithObject: true });
  if (info.channels !== 4) throw new Error(`${info.channels} channels`);
  return { width: info.width, height: info.height, data: cmykToRgb(data) };
}

/** Pillow's conversion, which knows no profiles: R = (255 - K) - C (255 - K) / 255, rounded. */
export function cmykToRgb(ink: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((ink.length / 4) * 3);
  for (let from = 0, to = 0; from < ink.length; from += 4) {
    const light = 255 - ink[from + 3];
    for (let c = 0; c < 3; c++) {
      const product = ink[from + c] * light + 128;
      rgb[to++] = light - (((product >> 8) + product) >> 8); // the shifts divide by 255
    }
  }
  return rgb;
}

function reason(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === "ENOENT") return "no such file";
  return message.split("\n")[0];
}

/** Bytes [H, W, 3] -> values [3, H, W] in [0, 1], written to `out`. */
export function writePixels({ width, height, data }: Image, out: Float32Array): void {
  const plane = width * height;
  for (let c = 0; c < 3; c++) {
    for (let i = 0; i < plane; i++) out[c * plane + i] = data[3 * i + c] / 255;
  }
}
