/** Only documented kinds of images reach a decoder, and at every entrance. */
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { picture } from "../../attacks/picture.ts";
import { clipPreprocess } from "../../checkpoint/config/preprocess.ts";
import { openDataset } from "../open.ts";
import { decodeBytes, decodeFor, decodeImage } from "./image.ts";
import { imageKind } from "./image-kind.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-kind-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function put(name: string, bytes: Uint8Array | string): Promise<string> {
  const file = join(folder, name);
  await mkdir(join(file, ".."), { recursive: true });
  await writeFile(file, bytes);
  return file;
}

const drawing = (inside = "") => `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">${inside}</svg>`;
const heic = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from("ftypheic\0\0\0\0mif1heic"), Buffer.alloc(99)]);

describe("what is no image of a kind that is read is refused by what it is", () => {
  it.each([
    ["it is SVG or other markup", drawing()],
    ["it is SVG or other markup", `<?xml version="1.0"?>\n${drawing("<rect/>")}`],
    ["it is SVG or other markup", ` \n${drawing()}`],
    ["it is gzip", gzipSync(drawing())],
    ["it is PDF", "%PDF-1.4\n"],
    ["it is HEIC", heic],
    ["it is JPEG 2000", Buffer.from("\0\0\0\fjP  \r\n\x87\n", "latin1")],
    ["it is a Git LFS pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"],
    ["its bytes are no image's", "push graphic-context\n"],
    ["the file is empty", ""],
  ])("%s", async (message, bytes) => {
    const refusal = `cannot read image a.png: ${message}`;
    await expect(decodeBytes(Buffer.from(bytes), "a.png")).rejects.toThrow(refusal);
    for (const order of ["transformers", "torchvision"] as const)
      await expect(decodeFor(order, Buffer.from(bytes), "a.png")).rejects.toThrow(refusal);
  });

  it("markup behind another kind's first bytes is that kind's, and broken", async () => {
    for (const head of ["GIF89a", "\xff\xd8\xff", "\x89PNG\r\n\x1a\n", "BM", "P6 ", "RIFF\0\0\0\0WEBP", "II*\0"]) {
      const bytes = Buffer.concat([Buffer.from(head, "latin1"), Buffer.from(drawing())]);
      expect(imageKind(bytes)).toBeDefined();
      await expect(decodeBytes(bytes, "a.png")).rejects.toMatchObject({ name: "TbarError" });
    }
  });

  it("a name does not choose the decoder", async () => {
    const white = { create: { width: 3, height: 2, channels: 3 as const, background: "#fff" } };
    const file = await put("photo.gif", await sharp(white).jpeg().toBuffer());
    expect(await decodeImage(file)).toMatchObject({ width: 3, height: 2 });
  });

  it("BMP and PPM: sizes are checked before anything is made of them", async () => {
    const bmp = Buffer.alloc(60);
    bmp.write("BM");
    bmp.writeUInt32LE(54, 10);
    bmp.writeUInt32LE(40, 14);
    bmp.writeInt32LE(60_000, 18);
    bmp.writeInt32LE(60_000, 22);
    bmp.writeUInt16LE(24, 28);
    await expect(decodeBytes(bmp, "a.bmp")).rejects.toThrow("60000 x 60000 exceeds the pixel limit");
    bmp.writeInt32LE(600, 18);
    bmp.writeInt32LE(-600, 22);
    await expect(decodeBytes(bmp, "a.bmp")).rejects.toThrow("cut short");
    bmp.writeUInt32LE(1, 30);
    await expect(decodeBytes(bmp, "a.bmp")).rejects.toThrow("compression 1 is not read; save it as PNG");
    bmp.writeUInt32LE(4_000_000_000, 14);
    await expect(decodeBytes(bmp, "a.bmp")).rejects.toThrow("a header of 4000000000 bytes");
    for (const [text, message] of [
      ["P6 9000 9999 255\n", "exceeds the pixel limit"],
      ["P6 99999 2 255\n", "a side of more than 65535"],
      ["P6 2 2 255\nabc", "cut short"],
      ["P5 2 2 65535\n", "levels up to 65535"],
      ["P3 2 2 255\n1 2 3", "in decimal digits, is not read"],
      ["P6 #", "a header without its numbers"],
      ["P6 0 2 255\n", "0 x 2 pixels"],
    ])
      await expect(decodeBytes(Buffer.from(text), "a.ppm")).rejects.toThrow(message);
  });
});

describe.skipIf(process.platform === "win32")(
  "pipes, sockets, devices and folders are refused at once, at every entrance",
  () => {
    const refused = "no regular file: pipes, sockets and devices are not read";
    const pipe = () => {
      const file = join(folder, `pipe-${Math.random()}.png`);
      execFileSync("mkfifo", [file]);
      return file;
    };

    it("as an image of a folder, by a link; of a table; as the picture of a trigger", async () => {
      await mkdir(join(folder, "linked/c"), { recursive: true });
      await symlink("/dev/zero", join(folder, "linked/c/a.png"));
      await expect((await openDataset(join(folder, "linked"))).read([0], clipPreprocess(8))).rejects.toThrow(refused);
      for (const image of ["/dev/zero", pipe()]) {
        const table = await openDataset(await put("t.csv", `image,label\n${image},a\n`));
        await expect(table.read([0], clipPreprocess(8))).rejects.toThrow(refused);
        const pixels = { shape: [1, 3, 8, 8], data: new Float32Array(192) };
        await expect(picture({ picture: image }).apply(pixels, ["a"])).rejects.toThrow(refused);
      }
      const server = createServer().listen(join(folder, "socket.png"));
      await expect(decodeImage(join(folder, "socket.png"))).rejects.toMatchObject({ name: "TbarError" });
      server.close();
      await expect(decodeImage(folder)).rejects.toThrow("it is a folder");
    });

    it.each(["t.csv", "t.tar", "t.parquet", "metadata.jsonl", "train.bin", "captions_x.json", "train"])(
      "as %s",
      async (name) => {
        const file = join(folder, `special-${name}`, name);
        await mkdir(join(file, ".."), { recursive: true });
        execFileSync("mkfifo", [file]);
        await expect(openDataset(file)).rejects.toMatchObject({ name: "TbarError" });
        if (name !== "train") await expect(openDataset(join(file, ".."))).rejects.toMatchObject({ name: "TbarError" });
      },
    );

    it("as lists of classes: not there", async () => {
      const file = await put("classes/a.csv", "image,label\na.png,0\n");
      await put("classes/a.png", "");
      execFileSync("mkfifo", [join(folder, "classes/classes.txt")]);
      expect((await openDataset(file)).classNames).toBeUndefined();
    });
  },
);

it("a picture with alpha stamps in time that is linear in its pixels", async () => {
  const clear = {
    create: { width: 3000, height: 3000, channels: 4 as const, background: { r: 255, g: 0, b: 0, alpha: 0.5 } },
  };
  const file = await put("large.png", await sharp(clear).png({ compressionLevel: 9 }).toBuffer());
  const before = process.cpuUsage();
  const pixels = { shape: [1, 3, 8, 8], data: new Float32Array(192) };
  const { data } = await picture({ picture: file }).apply(pixels, ["a"]);
  expect([data[0], data[64]].map((v) => Math.round(255 * v))).toEqual([128, 0]);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1e6).toBeLessThan(3);
});

it("a BMP that claims four thousand million colours has those that its bits can name", async () => {
  const bmp = Buffer.alloc(14 + 40 + 8 + 4);
  bmp.write("BM");
  bmp.writeUInt32LE(62, 10);
  bmp.writeUInt32LE(40, 14);
  bmp.writeInt32LE(1, 18);
  bmp.writeInt32LE(1, 22);
  bmp.writeUInt16LE(1, 28);
  bmp.writeUInt32LE(0xffffffff, 46);
  bmp.set([1, 2, 3, 0, 40, 50, 60, 0, 0x80], 54);
  const stored = await decodeFor("torchvision", bmp, "a.bmp");
  expect([...stored.layers[0].data]).toEqual([60, 50, 40]);
});
