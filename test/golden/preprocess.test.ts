/** The pixels of every resize mode, filter and size, of odd images in every form: those of transformers' PIL processors and of open_clip's transforms. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { beforeAll, expect, test } from "vitest";
import { describePreprocess, type Preprocess } from "../../src/checkpoint/config/preprocess.ts";
import { preprocessFromHf } from "../../src/checkpoint/config/preprocess-hf.ts";
import { preprocessFromOpenClip } from "../../src/checkpoint/config/preprocess-open-clip.ts";
import { imageFiles } from "../../src/data/formats/image-files.ts";
import { decodeFor } from "../../src/data/images/image.ts";
import { framed } from "../../src/data/images/resize.ts";
import type { StoredImage } from "../../src/data/images/stored.ts";

/** Digest of the pixels and the first of them; null where Python fails. */
type Told = readonly [digest: string, red: number, green: number, blue: number] | null;
interface Case {
  readonly transformers?: object;
  readonly open_clip?: object;
  readonly side: number;
  readonly pixels: Readonly<Record<string, Told>>;
}

const folder = fileURLToPath(new URL("preprocess/", import.meta.url));
const cases: Case[] = JSON.parse(readFileSync(`${folder}expected.json`, "utf8"));

function preprocessOf({ transformers, open_clip, side }: Case): Preprocess {
  if (transformers !== undefined) return preprocessFromHf(transformers, side, "preprocessor_config.json");
  return preprocessFromOpenClip({ preprocess_cfg: open_clip }, side, "open_clip_config.json");
}

const told = (bytes: Uint8Array): Told => [
  createHash("sha256").update(bytes).digest("hex").slice(0, 16),
  bytes[0],
  bytes[1],
  bytes[2],
];

const files = Object.keys(cases[0].pixels);
const decoded = { transformers: new Map<string, StoredImage>(), torchvision: new Map<string, StoredImage>() };
beforeAll(async () => {
  for (const name of files) {
    const bytes = readFileSync(folder + name);
    for (const order of ["transformers", "torchvision"] as const) {
      decoded[order].set(name, await decodeFor(order, bytes, name));
    }
  }
});

test("every mode, filter and order is among the cases", () => {
  const seen = cases.map(preprocessOf);
  expect(new Set(seen.map(({ filter }) => filter)).size).toBe(6);
  expect(new Set(seen.map(({ resize }) => resize.mode)).size).toBe(4);
  expect(new Set(seen.map(({ order }) => order)).size).toBe(2);
});

test.each(cases.map((one) => [`${preprocessOf(one).order}: ${describePreprocess(preprocessOf(one))}`, one] as const))(
  "%s",
  (_, one) => {
    const preprocess = preprocessOf(one);
    for (const name of files) {
      const pixels = () => framed(decoded[preprocess.order].get(name)!, preprocess, name).data;
      if (one.pixels[name] === null) expect(pixels).toThrow(new RegExp(`${name}: .* nothing is left`));
      else expect([name, told(pixels())]).toEqual([name, one.pixels[name]]);
    }
  },
);

test("grey of 16 bits, which Python makes white, and a BMP with alpha are refused", async () => {
  const bytes = await sharp(new Uint16Array(12).fill(700), { raw: { width: 4, height: 3, channels: 1 } })
    .toColourspace("grey16")
    .png()
    .toBuffer();
  expect([bytes[24], bytes[25]]).toEqual([16, 0]);
  const deep = sharp(new Uint16Array(12).fill(700), { raw: { width: 4, height: 3, channels: 1 } });
  const tif = await deep.toColourspace("grey16").tiff({ compression: "none" }).toBuffer();
  const bmp = Buffer.alloc(14 + 56 + 4);
  bmp.write("BM");
  for (const [at, value] of [[10, 70], [14, 56], [18, 1], [22, 1], [30, 3], [54, 0xff0000], [58, 0xff00], [62, 0xff], [66, 0xff000000]]) bmp.writeUInt32LE(value, at); // biome-ignore format: one line
  bmp.writeUInt16LE(32, 28);
  for (const order of ["transformers", "torchvision"] as const) {
    await expect(decodeFor(order, tif, "deep.tif")).rejects.toThrow(/deep.tif: it is grey with more than 8 bits/);
    await expect(decodeFor(order, bmp, "clear.bmp")).rejects.toThrow(/clear.bmp: it is a BMP with alpha/);
    await expect(decodeFor(order, bytes, "deep.png")).rejects.toThrow(/deep.png: it is grey with more than 8 bits/);
  }
});

test("a data set reads them so, as levels over 255", async () => {
  for (const one of [cases[1], cases[cases.length - 1]]) {
    const name = "alpha.png";
    const images = imageFiles("odd", [{ id: name, file: folder + name }]);
    const { shape, data } = await images.read([0], preprocessOf(one));
    expect(shape).toEqual([1, 3, one.side, one.side]);
    const plane = one.side ** 2;
    const bytes = Uint8Array.from(data, (_, i) => Math.round(255 * data[(i % 3) * plane + Math.floor(i / 3)]));
    expect(told(bytes)).toEqual(one.pixels[name]);
  }
});
