/** Image files to pixels, as Pillow's `Image.open(file).convert("RGB")` gives them. */
import type SharpModule from "sharp";
import type { Sharp } from "sharp";
import type { Preprocess } from "../../checkpoint/config/preprocess.ts";
import { readAtOnce, readSmallFile } from "../../files/files.ts";
import { badInput } from "../../tensor/error.ts";
import { decodeBmp, decodePnm } from "./bitmap.ts";
import { imageKind } from "./image-kind.ts";
import type { Image } from "./rgb-image.ts";
import { checkedMetadata, opened, pixelLimits, reason, withSharp } from "./sharp.ts";
import { alphaImage, inked, inkImage, onWhite, paletteImage, rgbImage, type StoredImage } from "./stored.ts";
import { storedForm } from "./stored-form.ts";

/** An image file larger than this is refused before it is read. */
const maxBytes = 128 * 2 ** 20;

/**
 * Decode a file. Like Pillow (and so CLIP): no turning by EXIF, no colour profile, alpha dropped, the first frame only.
 * Throws TbarError naming the file when it is missing, not an image, damaged, cut short, or above 89 million pixels.
 */
export async function decodeImage(file: string): Promise<Image> {
  return decodeBytes(await readImageFile(file), file);
}

/**
 * Decode what an image file holds; errors call it `name`. The one way in for images of strangers: what they are, their bytes say, and sharp sees only the kinds that
 * are read, within a time and a number of pixels. Throws as `decodeImage`.
 */
export function decodeBytes(bytes: Uint8Array, name: string): Promise<Image> {
  return withSharp(name, (sharp) => pixelsOf(sharp, bytes));
}

async function pixelsOf(sharp: typeof SharpModule, bytes: Uint8Array): Promise<Image> {
  const kind = imageKind(bytes);
  if (kind === "BMP") return decodeBmp(bytes, pixelLimits);
  if (kind === "PNM") return decodePnm(bytes, pixelLimits);
  const image = opened(sharp, bytes);
  const components = jpegFrame(bytes)?.components;
  if (components === 1 || components === 3) return decodeRgb(image, false);
  const metadata = await checkedMetadata(opened(sharp, bytes));
  return metadata.space === "cmyk" ? decodeCmyk(image) : decodeRgb(image, metadata.hasAlpha);
}

/** An image as `order` takes it from its file: transformers lays what is transparent on white. Throws as `decodeImage`. */
export function decodeFor(order: Preprocess["order"], bytes: Uint8Array, name: string): Promise<StoredImage> {
  return withSharp(name, async (sharp) => {
    const kind = imageKind(bytes); // throws for what is not read
    const frame = jpegFrame(bytes);
    const form = storedForm(bytes, frame?.components);
    if (form.kind === "refused") throw new Error(`it is ${form.why}`);
    const isBitmap = kind === "BMP" || kind === "PNM";
    const isSimple = isBitmap || form.kind === "opaque";
    const metadata = isSimple ? undefined : await checkedMetadata(opened(sharp, bytes));
    const isStored = order === "torchvision";
    if (metadata === undefined || (isStored ? form.kind !== "other" : !metadata.hasAlpha)) {
      const image = await pixelsOf(sharp, bytes);
      return isStored && form.kind === "palette" ? paletteImage(image, form.colourOf) : rgbImage(image);
    }
    if (metadata.space === "cmyk") return inkImage(await decodeInk(opened(sharp, bytes)));
    const image = await decodeRgb(opened(sharp, bytes), metadata.hasAlpha);
    if (!metadata.hasAlpha) return rgbImage(image);
    const { data: alpha } = await alphaOf(sharp, bytes);
    return isStored ? alphaImage(image, alpha) : rgbImage(onWhite(image, alpha));
  });
}

/** How opaque each pixel of a file is, [height, width]; undefined where it has no alpha. Throws as `decodeImage`. */
export async function decodeAlpha(file: string): Promise<Image | undefined> {
  const bytes = await readImageFile(file);
  return withSharp(file, async (sharp) => {
    const kind = imageKind(bytes);
    if (kind === "BMP" || kind === "PNM") return undefined; // as Pillow's convert("RGB") takes them
    const { hasAlpha } = await checkedMetadata(opened(sharp, bytes));
    return hasAlpha ? alphaOf(sharp, bytes) : undefined;
  });
}

async function alphaOf(sharp: typeof SharpModule, bytes: Uint8Array): Promise<Image> {
  const alpha = opened(sharp, bytes).toColourspace("srgb").extractChannel(3).raw();
  const { data, info } = await alpha.toBuffer({ resolveWithObject: true });
  if (info.channels !== 1) throw new Error(`${info.channels} channels`);
  return { width: info.width, height: info.height, data };
}

/** The bytes of an image file. Throws TbarError when it is none, cannot be read or has more than 128 MiB. */
export async function readImageFile(file: string): Promise<Buffer> {
  return (
    readAtOnce(file) ??
    readSmallFile(file, maxBytes).catch((cause) => {
      const isMissing = cause.cause?.code === "ENOENT";
      throw badInput(
        `cannot read image ${file}: ${isMissing ? "no such file" : reason(cause).replace(`${file} is`, "it is").replace(`${file} `, "it ")}`,
        cause,
      );
    })
  );
}

/** The shorter side of an image, once decoded. Throws as `decodeImage`. */
export async function shortSide(bytes: Uint8Array, name: string): Promise<number> {
  const { width, height } = await decodeBytes(bytes, name);
  return Math.min(width, height);
}

/** Width times height as the file's header claims them. Throws as `decodeImage`. */
export function pixelCount(bytes: Uint8Array, name: string): Promise<number> {
  return withSharp(name, async (sharp) => {
    const kind = imageKind(bytes);
    if (kind === "PNG") return uint32(bytes, 16) * uint32(bytes, 20);
    if (kind === "BMP" || kind === "PNM") return 8 * bytes.length; // a bit a pixel at least
    const { width, height } = jpegFrame(bytes) ?? (await checkedMetadata(opened(sharp, bytes)));
    return width * height;
  });
}

const uint32 = (bytes: Uint8Array, at: number) =>
  [0, 1, 2, 3].reduce((value, i) => 256 * value + (bytes[at + i] ?? 0), 0);

/** By a JPEG's frame header; undefined when there is none. Spares sharp a tenth of its work. */
function jpegFrame(bytes: Uint8Array) {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return undefined;
  for (let at = 2; at + 9 < bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1];
    const frame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    const number = (from: number) => 256 * bytes[from] + bytes[from + 1];
    if (frame) return { height: number(at + 5), width: number(at + 7), components: bytes[at + 9] };
    at += 2 + number(at + 2);
  }
  return undefined;
}

async function decodeRgb(image: Sharp, hasAlpha: boolean): Promise<Image> {
  const opaque = hasAlpha ? image.removeAlpha() : image;
  const { data, info } = await opaque.toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`${info.channels} channels`);
  return { width: info.width, height: info.height, data };
}

/** data [height, width, 4] */
async function decodeInk(image: Sharp): Promise<Image> {
  const raw = image.pipelineColourspace("cmyk").toColourspace("cmyk").raw();
  const { data, info } = await raw.toBuffer({ resolveWithObject: true });
  if (info.channels !== 4) throw new Error(`${info.channels} channels`);
  return { width: info.width, height: info.height, data };
}

async function decodeCmyk(image: Sharp): Promise<Image> {
  const ink = await decodeInk(image);
  return { ...ink, data: cmykToRgb(ink.data) };
}

/** [height, width, 4] to [height, width, 3]. */
export function cmykToRgb(ink: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((ink.length / 4) * 3);
  for (let from = 0, to = 0; from < ink.length; from += 4) {
    for (let c = 0; c < 3; c++) rgb[to++] = inked(ink[from + c], ink[from + 3]);
  }
  return rgb;
}
