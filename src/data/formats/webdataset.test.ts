import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { clipPreprocess } from "../../checkpoint/config/preprocess.ts";
import type { Dataset } from "../dataset.ts";
import { openDataset } from "../open.ts";
import { openWebDataset } from "./webdataset.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-wds-"));
});
afterEach(() => rm(folder, { recursive: true }));

const examples = (d: Dataset) => Array.from({ length: d.size }, (_, i) => d.example(i));
const level = async (d: Dataset, index: number) => Math.round((await d.read([index], clipPreprocess(2))).data[0] * 255);
const png = (value: number) =>
  sharp({ create: { width: 2, height: 2, channels: 3, background: { r: value, g: value, b: value } } })
    .png()
    .toBuffer();

interface Member {
  readonly type?: string;
  /** What the header claims, if it is not the truth. */
  readonly size?: string;
  readonly checksum?: number;
}

/** One member as POSIX ustar writes it. */
function member(name: string, body: string | Uint8Array = "", { type = "0", size, checksum }: Member = {}): Buffer {
  const bytes = Buffer.from(body as string);
  const header = Buffer.alloc(512);
  header.write(name.slice(0, 100), 0);
  header.write(`0000644\0`, 100);
  header.write(size ?? `${bytes.length.toString(8).padStart(11, "0")}\0`, 124, "latin1");
  header.write("        ", 148);
  header.write(type, 156);
  header.write("ustar\x0000", 257, "latin1");
  const sum = header.reduce((a, b) => a + b, 0) + (checksum ?? 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}
const shard = async (name: string, ...members: Buffer[]) => {
  const path = join(folder, name);
  await writeFile(path, Buffer.concat([...members, Buffer.alloc(1024)]));
  return path;
};
const pax = (...records: string[]) =>
  member("pax", records.map((r) => `${r.length + 4} ${r}\n`).join(""), { type: "x" });

describe("WebDataset", () => {
  it("files of one key are one example: image, .cls, .txt, .json; shards in the order of their names", async () => {
    await shard(
      "b.tar",
      member("x.png", await png(30)),
      member("x.json", '{"label": 1, "caption": "a bee", "url": "u"}'),
    );
    await shard(
      "a.tar",
      member("dir/", "", { type: "5" }),
      member("./0001.png", await png(10)),
      member("./0001.cls", "0\n"),
      member("./0001.txt", " an ant "),
      member("dir/0002.seg.PNG", await png(20)),
      member("dir/0002.json", "no JSON"),
      member("__readme"),
    );
    await writeFile(join(folder, "classnames.txt"), "ant\nbee\n");
    const set = await openDataset(folder);
    expect(examples(set)).toEqual([
      { id: "0001", label: 0, caption: "an ant" },
      { id: "dir/0002" },
      { id: "x", label: 1, caption: "a bee" },
    ]);
    expect(set.classNames).toEqual(["ant", "bee"]);
    expect(await Promise.all([0, 1, 2].map((i) => level(set, i)))).toEqual([10, 20, 30]);
  });

  it("long names: pax path, GNU L, ustar's prefix; a size of 8 GiB and more in pax or base 256", async () => {
    const long = `${"d".repeat(90)}/${"n".repeat(90)}`;
    const path = await shard("long.tar", member("a.png", await png(1)), pax("size=9999999999"), member("big.png"));
    await expect(openWebDataset([path])).rejects.toThrow("an entry of 9999999999 bytes where");
    const huge = Buffer.alloc(12);
    huge[0] = 0x80;
    huge.writeUIntBE(2 ** 34, 6, 6);
    await expect(
      openWebDataset([await shard("huge.tar", member("a.png", "", { size: huge.toString("latin1") }))]),
    ).rejects.toThrow("an entry of 17179869184 bytes where");
    const members = [
      pax(`path=${long}.png`),
      member("s.png", await png(1)),
      member("././@LongLink", `${long}2.png\0`, { type: "L" }),
      member("s.png", await png(2)),
    ];
    const set = await openWebDataset([await shard("ok.tar", ...members)]);
    expect(examples(set).map(({ id }) => id)).toEqual([long, `${long}2`]);
  });

  it.each([
    ["is a hard link", member("a.png", "", { type: "1" })],
    ["is a symbolic link", member("a.png", "", { type: "2" })],
    ["is a device", member("a.png", "", { type: "3" })],
    ["leads out of the archive", member("../a.png", "x")],
    ["leads out of the archive", member("a/../../b.png", "x")],
    ["leads out of the archive", member("/etc/a.png", "x")],
    ["leads out of the archive", member("C:\\a.png", "x")],
    ["leads out of the archive", Buffer.concat([pax("path=../a.png"), member("a.png", "x")])],
    ["checksum is wrong", Buffer.concat([member("b.png", "x"), member("a.png", "x", { checksum: 1 })])],
    ["it is no tar archive", Buffer.alloc(512, 1)],
    ["a size that is no number", member("a.png", "x", { size: "0000000000x\0" })],
    ["an entry of 8589934591 bytes", member("a.png", "x", { size: "77777777777\0" })],
    ["an extended header of 70000 bytes", member("p", "x".repeat(70_000), { type: "x" })],
    ["no images in", member("a.txt", "x")],
  ])("refuses: %s", async (message, bytes) => {
    const path = await shard("bad.tar", bytes);
    await expect(openWebDataset([path])).rejects.toMatchObject({
      name: "TbarError",
      message: expect.stringContaining(message),
    });
    await expect(openWebDataset([path])).rejects.toThrow("bad.tar");
  });

  it("an archive that was cut off is refused, wherever it was cut", async () => {
    const whole = await readFile(await shard("s.tar", member("a.png", await png(5)), member("b.png", await png(6))));
    const path = join(folder, "cut.tar");
    for (const length of [
      whole.length - 1024,
      whole.length - 1200,
      whole.length / 2 - 512,
      whole.length / 2 - 400,
      600,
    ]) {
      await writeFile(path, whole.subarray(0, length));
      await expect(openWebDataset([path])).rejects.toThrow(/cut off|are left/);
    }
  });

  it("a file that GNU tar stored with holes, in a pax header's words", async () => {
    const path = await shard("s.tar", pax("GNU.sparse.major=1", "GNU.sparse.minor=0"), member("a.png", await png(5)));
    await expect(openWebDataset([path])).rejects.toThrow("stored with holes");
  });

  it("a key without an image fails when it is read, by shard and key; a label without a name is refused", async () => {
    const path = await shard("s.tar", member("a.png", await png(5)), member("b.cls", "1"));
    const set = await openWebDataset([path]);
    await expect(set.read([1], clipPreprocess(2))).rejects.toThrow(`${path}: b has no image`);
    await mkdir(join(folder, "c"));
    await writeFile(join(folder, "classes.txt"), "one\n");
    await expect(openWebDataset([path])).rejects.toThrow("b has label 1 of 1 classes");
  });
});
