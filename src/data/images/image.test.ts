import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import sharp, { type Sharp } from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cmykToRgb, decodeBytes, decodeImage } from "./image.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-image-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, bytes: Uint8Array | string): Promise<string> {
  await writeFile(join(folder, name), bytes);
  return join(folder, name);
}

/** A raw image of 2 x 1 pixels: two colours of 1, 3 or 4 channels. */
const two = (...values: number[]) =>
  sharp(Uint8Array.from(values), { raw: { width: 2, height: 1, channels: (values.length / 2) as 1 | 3 | 4 } });

describe("decodeImage, as Pillow's convert(RGB)", () => {
  it("colours, grey and alpha: grey is repeated, alpha is dropped and not mixed", async () => {
    const read = async (name: string, image: Sharp) => [
      ...(await decodeImage(await file(name, await image.toBuffer()))).data,
    ];
    expect(await read("rgb.png", two(1, 2, 3, 250, 0, 9).png())).toEqual([1, 2, 3, 250, 0, 9]);
    expect(await read("rgb.webp", two(1, 2, 3, 250, 0, 9).webp({ lossless: true }))).toEqual([1, 2, 3, 250, 0, 9]);
    expect(await read("grey.png", two(7, 200).toColourspace("b-w").png())).toEqual([7, 7, 7, 200, 200, 200]);
    expect(await read("alpha.png", two(10, 20, 30, 0, 40, 50, 60, 128).png())).toEqual([10, 20, 30, 40, 50, 60]);
  });

  it("EXIF orientation is not applied", async () => {
    const turned = await two(1, 2, 3, 4, 5, 6).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    expect(await decodeImage(await file("turned.jpg", turned))).toMatchObject({ width: 2, height: 1 });
  });

  it("CMYK: R = (255 - K) - C (255 - K) / 255, and no profile", async () => {
    expect([...cmykToRgb(Uint8Array.of(100, 0, 255, 55, 0, 128, 1, 0))]).toEqual([200 - 78, 200, 0, 255, 127, 254]);
    const red = Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => (i % 3 === 0 ? 255 : 0));
    const cmyk = sharp(red, { raw: { width: 16, height: 16, channels: 3 } })
      .toColourspace("cmyk")
      .jpeg({ quality: 100 });
    expect([...(await decodeImage(await file("cmyk.jpg", await cmyk.toBuffer()))).data.subarray(0, 3)]).toEqual([
      255, 0, 0,
    ]);
  });

  it("a missing, foreign, empty or cut file is named", async () => {
    const noise = Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) % 251);
    const jpeg = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
      .jpeg()
      .toBuffer();
    const png = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
      .png()
      .toBuffer();
    for (const path of [
      join(folder, "missing.jpg"),
      await file("text.jpg", "not an image"),
      await file("empty.png", ""),
      await file("cut.jpg", jpeg.subarray(0, jpeg.length / 2)),
      await file("cut.png", png.subarray(0, png.length / 2)),
    ]) {
      await expect(decodeImage(path)).rejects.toMatchObject({
        name: "TbarError",
        message: expect.stringContaining(path),
      });
    }
    await expect(decodeImage(join(folder, "missing.jpg"))).rejects.toThrow("no such file");
  });

  it("a header that claims more than 89 million pixels is refused before any is decoded", async () => {
    const png = await two(1, 2, 3, 4, 5, 6).png().toBuffer();
    png.writeUInt32BE(10_000, 16);
    png.writeUInt32BE(9_000, 20);
    png.writeUInt32BE(crc32(png.subarray(12, 29)), 29); // IHDR: name and 13 bytes
    await expect(decodeImage(await file("bomb.png", png))).rejects.toThrow(/bomb.png: .*pixel limit/);
  });
});

it("a few bytes that claim many pixels are refused, a large picture of many bytes is read", async () => {
  const gif = await sharp({ create: { width: 4, height: 4, channels: 3, background: "red" } })
    .gif()
    .toBuffer();
  const frame = gif.indexOf(0x2c, 13 + 6); // behind the screen and two colours
  gif.writeUInt16LE(9000, frame + 5);
  gif.writeUInt16LE(9000, frame + 7);
  await expect(decodeBytes(gif, "a.gif")).rejects.toThrow(/cannot read image a\.gif: .*pixel/);
  const large = { width: 4500, height: 4500, channels: 3 } as const;
  const noise = await sharp({
    create: { ...large, background: "red", noise: { type: "gaussian", mean: 128, sigma: 40 } },
  })
    .jpeg()
    .toBuffer();
  expect(await decodeBytes(noise, "a.jpg")).toMatchObject({ width: 4500, height: 4500 });
});

it("a flat picture of 88 million pixels in a few hundred kilobytes would take half a gigabyte: refused", async () => {
  const flat = await sharp({ create: { width: 9400, height: 9400, channels: 4, background: "#80808080" } })
    .png()
    .toBuffer();
  await expect(decodeBytes(flat, "flat.png")).rejects.toThrow(/cannot read image flat\.png: .*pixel/);
}, 60_000);
