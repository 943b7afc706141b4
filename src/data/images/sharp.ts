/** sharp as it is let near images of strangers: pixels and seconds bounded, no profiles, nothing mended. */
import type SharpModule from "sharp";
import type { Metadata, Sharp, SharpOptions } from "sharp";
import { badInput } from "../../tensor/error.ts";

/** Pillow warns of a decompression bomb above it. */
const maxPixels = 89_478_485;
/** The longest side a JPEG can have. */
const maxSide = 65_535;

const options: SharpOptions = {
  ignoreIcc: true,
  failOn: "error",
  sequentialRead: true, // spares a copy of the whole image
};

export const pixelLimits = { pixels: maxPixels, side: maxSide };

/** Seconds for one image: 89 million pixels take a few. */
const maxSeconds = 60;

/** A few bytes may claim millions of pixels, and memory for them is taken before the first is read: of a small file so many are believed. Photographs
 * have at most ten to a byte. */
const believed = 2 ** 24;
const pixelsAByte = 100;

/** An image file's bytes, within these limits. */
export function opened(sharp: typeof SharpModule, bytes: Uint8Array): Sharp {
  const limitInputPixels = Math.min(maxPixels, Math.max(believed, pixelsAByte * bytes.length));
  return sharp(bytes, { ...options, limitInputPixels }).timeout({ seconds: maxSeconds });
}

let loaded: Promise<typeof SharpModule> | undefined;

/** 25 ms and a native library: only who reads images loads it. */
function loadSharp(): Promise<typeof SharpModule> {
  loaded ??= import("sharp").then(({ default: sharp }) => {
    sharp.cache(false); // no image is read twice in a row: the cache would cost a tenth of the time, and 50 MB
    return sharp;
  });
  return loaded;
}

/** Runs `decode`; throws TbarError that names the image where it throws. */
export async function withSharp<T>(name: string, decode: (sharp: typeof SharpModule) => Promise<T>): Promise<T> {
  const sharp = await loadSharp();
  try {
    return await decode(sharp);
  } catch (cause) {
    throw badInput(`cannot read image ${name}: ${reason(cause)}`, cause);
  }
}

export async function checkedMetadata(image: Sharp): Promise<Metadata> {
  const metadata = await image.metadata();
  if (Math.max(metadata.width, metadata.height) > maxSide) throw new Error(`a side of more than ${maxSide} pixels`);
  return metadata;
}

/** What is wrong, in a line. */
export function reason(cause: unknown): string {
  const said = (cause as Error).message.split("\n")[0];
  return said === "Unknown error" ? "it is cut off or damaged" : said; // libvips' word for it
}
