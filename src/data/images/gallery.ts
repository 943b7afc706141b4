/** Rows of images in one picture, each under its name. */
import type { Tensor } from "../../tensor/tensor.ts";

export interface GalleryRow {
  readonly name: string;
  /** [3, S, S] in [0, 1], S the same for all. Values outside are clamped. */
  readonly images: readonly Tensor[];
}

const page = 242; // a light grey, on which white images are seen too
const gap = 12;
const line = 22;

/** A PNG in which each pixel is `scale` x `scale` (a whole number). The names need a font on the machine; the rest does not. */
export async function galleryPng(rows: readonly GalleryRow[], scale = 1): Promise<Uint8Array> {
  const S = rows[0].images[0].shape[2];
  const side = S * scale;
  const width = gap + (side + gap) * Math.max(...rows.map(({ images }) => images.length));
  const height = gap + (line + side + gap) * rows.length;
  const topOf = (row: number) => gap + line + row * (line + side + gap);
  const canvas = new Uint8ClampedArray(3 * width * height).fill(page); // rounds and clamps
  rows.forEach(({ images }, row) => {
    images.forEach(({ data }, column) => {
      for (let y = 0; y < side; y++) {
        for (let x = 0; x < side; x++) {
          const from = Math.floor(y / scale) * S + Math.floor(x / scale);
          const to = 3 * ((topOf(row) + y) * width + gap + column * (side + gap) + x);
          for (let c = 0; c < 3; c++) canvas[to + c] = 255 * data[c * S * S + from];
        }
      }
    });
  });
  const names = rows.map(({ name }, row) => `<text x="${gap}" y="${topOf(row) - 7}">${escaped(name)}</text>`);
  const font = 'font-family="sans-serif" font-size="15" fill="#333"';
  const labels = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ${font}>${names.join("")}</svg>`;
  const { default: sharp } = await import("sharp"); // a native library: only who makes pictures loads it
  const drawn = sharp(canvas, { raw: { width, height, channels: 3 } }).composite([{ input: Buffer.from(labels) }]);
  return drawn.removeAlpha().png({ compressionLevel: 9 }).toBuffer();
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
