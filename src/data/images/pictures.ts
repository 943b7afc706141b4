/** Pixels to small PNG data URIs, for reports. */
import { badInput } from "../../tensor/error.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { toBytes } from "./pixels.ts";

export interface PictureOptions {
  /**
   * Side of the picture / side of the image: above 1 repeats pixels, below 1 averages neighbours. Not given: 1, or what brings
   * a large image down to 96 pixels, so that a report of eight examples stays below 400 KB.
   */
  readonly scale?: number;
}

const largestSide = 96;

/** An image [3, S, S] in [0, 1] as `data:image/png;base64,...`, in at most 256 colours. Values outside are clamped. */
export async function pngDataUri(image: Tensor, { scale }: PictureOptions = {}): Promise<string> {
  const side = sideOf(image);
  const factor = scale ?? Math.min(1, largestSide / side);
  const target = Math.round(side * factor);
  if (!(target >= 1 && target <= 4096))
    throw badInput(`a picture of ${target} pixels a side: scale ${scale} of ${side}`);
  const { default: sharp } = await import("sharp"); // a native library: only who makes pictures loads it
  const raw = sharp(toBytes(image.data), { raw: { width: side, height: side, channels: 3 } });
  const sized = target === side ? raw : raw.resize(target, target, { kernel: factor > 1 ? "nearest" : "linear" });
  const png = await sized.png({ palette: true, compressionLevel: 9, effort: 10 }).toBuffer();
  return `data:image/png;base64,${png.toString("base64")}`;
}

/** |triggered - clean| of two images [3, S, S], scaled so that the largest change is 1; `factor` is what it was multiplied by. */
export function differencePicture(
  clean: Tensor,
  triggered: Tensor,
): { readonly image: Tensor; readonly factor: number } {
  if (sideOf(clean) !== sideOf(triggered)) throw new RangeError(`[${clean.shape}] against [${triggered.shape}]`);
  const data = clean.data.map((value, i) => Math.abs(triggered.data[i] - value));
  const largest = data.reduce((a, b) => Math.max(a, b), 0);
  const factor = largest === 0 ? 1 : 1 / largest;
  return { image: { shape: clean.shape, data: data.map((value) => value * factor) }, factor };
}

function sideOf({ shape }: Tensor): number {
  const [channels, height, width] = shape;
  if (shape.length !== 3 || channels !== 3 || height !== width)
    throw new RangeError(`expected [3, S, S], not [${shape}]`);
  return width;
}
