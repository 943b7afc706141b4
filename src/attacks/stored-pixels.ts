/** A fitted patch inside its trigger's spec: plain JSON, so that a checkpoint describes its own trigger. */
import { z } from "zod";
import { fromBytes, toBytes } from "../data/images/pixels.ts";
import { badInput } from "../tensor/error.ts";

/** A patch of this side is the largest that a spec may hold; more belongs in a picture file. */
const largestSide = 256;

/** For a spec's schema: base64 of R,G,B bytes, row by row, of a square patch. */
export const storedPixels = z.base64("not base64").max(4 * largestSide ** 2, "too long for a patch");

/** Pixels [3, side, side] in [0, 1], rounded to 8 bits, as `storedPixels`. */
export const storePixels = (pixels: Float32Array): string => Buffer.from(toBytes(pixels)).toString("base64");

/** The pixels [3, side, side] again. Throws TbarError when they are not as many as `side` asks for. */
export function loadPixels(stored: string, side: number, kind: string): Float32Array {
  const bytes = Buffer.from(stored, "base64");
  const asked = 3 * side ** 2;
  if (bytes.length === asked) return fromBytes(bytes);
  throw badInput(`${kind}: the stored patch has ${bytes.length} bytes; size=${side} asks for ${asked}`);
}

/** As BadCLIP's authors keep a patch in a file: an RGB array written as BGR, JPEG of quality 95 with chroma subsampling, read back as it lies there. */
export async function throughJpeg(stored: string, side: number): Promise<string> {
  const { default: sharp } = await import("sharp");
  const bytes = Buffer.from(stored, "base64");
  for (let i = 0; i < bytes.length; i += 3) [bytes[i], bytes[i + 2]] = [bytes[i + 2], bytes[i]];
  const jpeg = await sharp(bytes, { raw: { width: side, height: side, channels: 3 } })
    .jpeg({ quality: 95, chromaSubsampling: "4:2:0" })
    .toBuffer();
  return (await sharp(jpeg).raw().toBuffer()).toString("base64");
}
