import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { clipPreprocess } from "../../checkpoint/config/preprocess.ts";
import { decodeImage } from "./image.ts";
import { framed, squash } from "./resize.ts";
import type { Image } from "./rgb-image.ts";
import { rgbImage } from "./stored.ts";

const golden = join(
  process.env["TBAR_GOLDEN"] ?? fileURLToPath(new URL("../../../../shared/golden", import.meta.url)),
  "preprocess",
);

const clipTransform = (image: Image, size: number) => framed(rgbImage(image), clipPreprocess(size, "torchvision"));

/** Grey pixels, row by row. */
const grey = (width: number, values: number[]): Image => ({
  width,
  height: values.length / width,
  data: Uint8Array.from(values.flatMap((v) => [v, v, v])),
});
const reds = ({ data }: Image) => [...data].filter((_, i) => i % 3 === 0);

describe("resize", () => {
  it("bicubic with a = -0.5, weights normalised at the edge: 0, 100 -> -8.8, 20.7, 79.3, 108.8", () => {
    // cubic(0.25) = 0.8672, cubic(1.25) = -0.0703, cubic(0.75) = 0.2266
    expect(reds(squash(grey(2, [0, 100, 0, 100]), 4)).slice(0, 4)).toEqual([0, 21, 79, 109]);
  });

  it("downwards the filter widens by the scale (antialias): 0 0 0 0 200 200 200 200 -> halves apart by the filter's reach", () => {
    const row = [0, 0, 0, 0, 200, 200, 200, 200];
    const half = reds(squash(grey(8, new Array(8).fill(row).flat()), 4)).slice(0, 4);
    // weights of output 1 on inputs 0..6 (centre 3, width 2): cubic(|i + 0.5 - 3| / 2); inputs 4..6 are white
    const cubic = (x: number) => (x < 1 ? 1.5 * x ** 3 - 2.5 * x ** 2 + 1 : -0.5 * x ** 3 + 2.5 * x ** 2 - 4 * x + 2);
    const w = [0, 1, 2, 3, 4, 5, 6].map((i) => cubic(Math.abs(i + 0.5 - 3) / 2));
    const second = (200 * (w[4] + w[5] + w[6])) / w.reduce((a, b) => a + b);
    expect(half[1]).toBe(Math.max(0, Math.round(second)));
    expect(half[2]).toBe(200 - Math.round(second));
  });

  it("the same size changes nothing; a constant stays constant", () => {
    const image = grey(3, [9, 8, 7, 6, 5, 4, 3, 2, 1]);
    expect(squash(image, 3).data).toEqual(image.data);
    expect(new Set(clipTransform(grey(7, new Array(35).fill(77)), 16).data)).toEqual(new Set([77]));
  });

  it("shorter side to size, long side truncated, centre rounded half to even", () => {
    const columns = (n: number) =>
      grey(
        n,
        [...Array(n).keys(), ...Array(n).keys()].map((v) => v * 10),
      );
    const crop = (n: number) => reds(clipTransform(columns(n), 2)).slice(0, 2);
    expect(crop(5)).toEqual([20, 30]); // (5 - 2) / 2 = 1.5 -> 2
    expect(crop(3)).toEqual([0, 10]); // 0.5 -> 0
    expect(crop(7)).toEqual([20, 30]); // 2.5 -> 2
  });

  it("only the window is computed: 1 x 65535, which would be 224 x 14,679,840", () => {
    const image: Image = { width: 1, height: 65_535, data: new Uint8Array(3 * 65_535).fill(9) };
    for (const filter of ["bicubic", "nearest", "lanczos"] as const) {
      for (const tall of [image, { ...image, width: 65_535, height: 1 }]) {
        const { width, height, data } = framed(rgbImage(tall), { ...clipPreprocess(224), filter });
        expect([width, height, ...new Set(data)]).toEqual([224, 224, 9]);
      }
    }
    expect(process.memoryUsage().rss).toBeLessThan(2 ** 30);
  });

  it.skipIf(!existsSync(golden))("golden preprocess: equal to Pillow in every value", async () => {
    const photographs = readdirSync(golden).filter((name) => name.endsWith(".JPEG"));
    expect(photographs.length).toBeGreaterThan(0);
    for (const name of photographs) {
      const image = await decodeImage(join(golden, name));
      for (const [kind, ours] of [
        ["clip224", clipTransform(image, 224)],
        ["clip336", clipTransform(image, 336)],
        ["squash224", squash(image, 224)],
      ] as const) {
        const pillow = await decodeImage(join(golden, name.replace("JPEG", `${kind}.png`)));
        expect([ours.width, ours.height]).toEqual([pillow.width, pillow.height]);
        expect(Buffer.compare(ours.data, pillow.data), `${name} ${kind}`).toBe(0);
      }
    }
  });
});
