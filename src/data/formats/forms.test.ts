/** How data lies around, and what becomes of it: captions, labels, classes, junk, shards. Each form is made here. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { clipPreprocess } from "../../checkpoint/config/preprocess.ts";
import type { Dataset } from "../dataset.ts";
import { openDataset } from "../open.ts";
import { openImageFolder } from "./image-folder.ts";
import { expandNames } from "./shard-names.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "tbar-forms-"));
});
afterEach(() => rm(root, { recursive: true }));

async function put(name: string, bytes: Uint8Array | string = ""): Promise<string> {
  const file = join(root, name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, bytes);
  return file;
}

const examples = (d: Dataset) => Array.from({ length: d.size }, (_, i) => d.example(i));
const captions = (d: Dataset) => examples(d).map(({ id, caption }) => `${id}: ${caption}`);
const names = (d: Dataset) => examples(d).map(({ id, label }) => `${id} ${d.classNames?.[label ?? -1]}`);
const list = (...names: string[]) => ({ names, file: "names.txt" });

const png = (level: number) =>
  sharp({ create: { width: 4, height: 4, channels: 3, background: { r: level, g: level, b: level } } })
    .png()
    .toBuffer();

/** A ustar archive of these files. */
function tar(files: Readonly<Record<string, Uint8Array | string>>): Buffer {
  const members = Object.entries(files).map(([name, content]) => {
    const bytes = Buffer.from(content);
    const header = Buffer.alloc(512);
    header.write(name);
    header.write("0000644\0", 100);
    header.write(`${bytes.length.toString(8).padStart(11, "0")}\0`, 124);
    header.fill(" ", 148, 156);
    header.write("0", 156);
    const sum = header.reduce((a, b) => a + b, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return Buffer.concat([header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
  });
  return Buffer.concat([...members, Buffer.alloc(1024)]);
}

describe("captions", () => {
  it("captions.txt with a header, images in a folder beside it (Flickr8k as on Kaggle)", async () => {
    for (const name of ["1.jpg", "2.jpg"]) await put(`Pictures/${name}`);
    await put("captions.txt", 'image,caption\n1.jpg,A man runs .\n1.jpg,"One, two"\n2.jpg,A dog .\n');
    const set = await openDataset(root);
    expect(captions(set)).toEqual(["1.jpg: A man runs .", "1.jpg#2: One, two", "2.jpg: A dog ."]);
    expect(set.contents).toMatchObject({ captions: "column caption" });
  });

  it("Flickr's token files, and Flickr30k's with bars", async () => {
    for (const name of ["1.jpg", "2.jpg"]) await put(`Flicker8k_Dataset/${name}`);
    const file = await put("Flickr8k.token.txt", "1.jpg#0\tA man runs .\n1.jpg#1\tA runner .\n2.jpg#0\tA dog .\n");
    expect(captions(await openDataset(root))).toEqual(["1.jpg: A man runs .", "1.jpg#2: A runner .", "2.jpg: A dog ."]);
    await put("Flickr8k.token.txt", "1.jpg#0\tA man .\nnonsense\n");
    await expect(openDataset(file)).rejects.toThrow("line 2 is no IMAGE#NUMBER, tab, caption");
    const bars = await put(
      "results.csv",
      "image_name| comment_number| comment\n1.jpg| 0| A man, running .\n2.jpg| 0| A dog .\n",
    );
    expect(captions(await openDataset(bars))).toEqual(["1.jpg: A man, running .", "2.jpg: A dog ."]);
  });

  it.each([".txt", ".caption", ".json"])(
    "%s beside each image; folders of classes keep their labels, shards are none",
    async (ending) => {
      const text = (caption: string) => (ending === ".json" ? JSON.stringify({ caption, url: "u" }) : `${caption}\n`);
      for (const name of ["ant/a", "bee/b", "bee/c"]) {
        await put(`classes/${name}.png`);
        await put(`shards/${name.replace("ant", "00000").replace("bee", "00001")}.png`);
        if (name === "bee/c") continue;
        await put(`classes/${name}${ending}`, text(`picture ${name}`));
        await put(`shards/${name.replace("ant", "00000").replace("bee", "00001")}${ending}`, text(name));
      }
      const classes = await openDataset(join(root, "classes"));
      expect(captions(classes)).toEqual([
        "ant/a.png: picture ant/a",
        "bee/b.png: picture bee/b",
        "bee/c.png: undefined",
      ]);
      expect(names(classes)).toEqual(["ant/a.png ant", "bee/b.png bee", "bee/c.png bee"]);
      expect(classes.contents).toMatchObject({ labels: "folders", captions: `${ending} beside each image` });
      const shards = await openDataset(join(root, "shards"));
      expect([shards.classNames, examples(shards)[0].label]).toEqual([undefined, undefined]);
      expect(captions(shards)[0]).toBe("00000/a.png: ant/a");
      await put("flat/x.png");
      await put(`flat/x${ending}`, text("an x"));
      expect(captions(await openDataset(join(root, "flat")))).toEqual(["x.png: an x"]);
    },
  );

  it("boxes of a detector beside images are no captions, and counted", async () => {
    await put("ant/a.png");
    await put("ant/a.txt", "0 0.5 0.5 0.2 0.2\n");
    const { contents, ...set } = await openDataset(root);
    expect([set.example(0), contents?.captions, contents?.leftOut]).toEqual([
      { id: "ant/a.png", label: 0 },
      undefined,
      { ".txt": 1 },
    ]);
  });

  it("several captions of one image are rows, and counted as such", async () => {
    for (const name of ["a.png", "b.png"]) await put(name);
    await put("captions.csv", "image,caption\na.png,one\na.png,two\nb.png,three\n");
    const { size, contents } = await openDataset(root);
    expect([size, contents?.notes]).toEqual([3, ["3 rows of 2 image files, each row counted as an image"]]);
  });

  it("Hugging Face's metadata.jsonl and metadata.csv: captions, labels by name or number, class folders below", async () => {
    for (const name of ["a.png", "bee/b.png"]) await put(name);
    await put(
      "metadata.jsonl",
      '{"file_name": "a.png", "text": "an ant", "width": 4}\n{"file_name": "bee/b.png", "text": "a bee"}\n\n',
    );
    const set = await openDataset(root);
    expect([captions(set), set.contents]).toEqual([
      ["a.png: an ant", "bee/b.png: a bee"],
      { captions: "key text", notes: ["columns not used: width"] },
    ]);
    await put("metadata.jsonl", '{"file_name": "a.png", "label": "ant"}\n{"file_name": "bee/b.png", "label": "bee"}\n');
    expect(names(await openDataset(root))).toEqual(["a.png ant", "bee/b.png bee"]);
    for (const [line, message] of [
      ["[1]", "line 3 is no JSON object"],
      ['{"file_name": "a.png"', "line 3 is no JSON object"],
      ['{"file_name": "a.png"}', "line 3 has neither label nor caption"],
      ['{"label": "ant"}', "line 3 names no image"],
      ['{"file_name": "a.png", "label": 0.5}', "line 3 has a label that is neither"],
      ['{"file_name": "a.png", "label": -1}', "line 3 has label -1"],
    ]) {
      await put("metadata.jsonl", `{"file_name": "a.png", "label": 0}\n\n${line}\n`);
      await expect(openDataset(root)).rejects.toThrow(message);
    }
    await rm(join(root, "metadata.jsonl"));
    await put("metadata.csv", "file_name,text\na.png,an ant\nbee/b.png,a bee\n");
    expect(captions(await openDataset(root))).toEqual(["a.png: an ant", "bee/b.png: a bee"]);
  });

  it("COCO's captions, images in a folder beside annotations/", async () => {
    await put("val2017/000000000007.jpg");
    const coco = {
      images: [{ id: 7, file_name: "000000000007.jpg", coco_url: "u" }],
      annotations: [
        { image_id: 7, id: 1, caption: "A bear. " },
        { image_id: 7, id: 2, caption: "A brown bear." },
      ],
    };
    const file = await put("annotations/captions_val2017.json", JSON.stringify(coco));
    expect(captions(await openDataset(file))).toEqual([
      "000000000007.jpg: A bear.",
      "000000000007.jpg#2: A brown bear.",
    ]);
    await put("annotations/captions_val2017.json", JSON.stringify({ ...coco, images: [] }));
    await expect(openDataset(file)).rejects.toThrow("annotation 0 is of image 7, which is not listed");
    await put("annotations/captions_val2017.json", JSON.stringify({ annotations: [] }));
    await expect(openDataset(file)).rejects.toThrow("expected COCO's");
  });

  it("captions that are no UTF-8 are refused by file and line, or read as said", async () => {
    await put("a.png");
    await put("a.txt", Buffer.from("one\ntwo caf\xe9", "latin1"));
    await expect(openDataset(root)).rejects.toThrow(`${join(root, "a.txt")}: line 2 is no UTF-8`);
    expect(captions(await openDataset(root, { encoding: "latin1" }))).toEqual(["a.png: one\ntwo caf\u00e9"]);
  });
});

describe("classes", () => {
  it("what systems leave behind is no class and no image, and is counted", async () => {
    for (const name of ["ant/a.png", "bee/b.png"]) await put(name);
    for (const name of [".DS_Store", ".ipynb_checkpoints/a.png", "__MACOSX/ant/._a.png", "@eaDir/x.png", "lost+found/f", "logs/run.txt", "ant/._a.png", "ant/Thumbs.db", "desktop.ini", "notes.md", "bee/deeper/c.png", "top.png"]) await put(name); // biome-ignore format: a list
    const set = await openDataset(root);
    expect(names(set)).toEqual(["ant/a.png ant", "bee/b.png bee"]);
    expect(set.contents?.leftOut).toEqual({ hidden: 3, __MACOSX: 1, "@eaDir": 1, "lost+found": 1, "Thumbs.db": 1, "desktop.ini": 1, ".md": 1, "folders without an image (logs)": 1, "deeper folders": 1, "images beside the class folders": 1 }); // biome-ignore format: a table
  });

  it("images of kinds that are not read are counted; a class of them alone is refused", async () => {
    for (const name of ["ant/a.BMP", "bee/b.jfif", "bee/c.jpe", "bee/d.ppm", "bee/e.heic", "bee/f.HEIC"])
      await put(name);
    const set = await openDataset(root);
    expect(names(set)).toEqual(["ant/a.BMP ant", "bee/b.jfif bee", "bee/c.jpe bee", "bee/d.ppm bee"]);
    expect(set.contents?.leftOut).toEqual({ ".heic": 2 });
    await put("cat/a.heic");
    await expect(openDataset(root)).rejects.toThrow("cat has images of kinds that are not read alone (1 .heic)");
    await expect(openDataset(join(root, "cat"))).rejects.toThrow("found 1 .heic, which are not read");
  });

  it("folders of numbers are in the order of their numbers, and count the given names", async () => {
    for (let i = 0; i < 12; i++) await put(`${i}/x.png`);
    const given = list(...Array.from({ length: 12 }, (_, i) => `name ${i}`));
    const set = await openDataset(root, { classes: given });
    expect(names(set)).toEqual(Array.from({ length: 12 }, (_, i) => `${i}/x.png name ${i}`));
    await rm(join(root, "0"), { recursive: true });
    expect(names(await openDataset(root, { classes: given }))[1]).toBe("2/x.png name 2");
    expect(names(await openDataset(root))[9]).toBe("10/x.png 10");
    await put("012/x.png");
    await expect(openDataset(root, { classes: given })).rejects.toThrow(
      "class 012 is none of the 12 that names.txt names (0 to 11)",
    );
    await put("-3/x.png");
    await expect(openDataset(root, { classes: list(...given.names, "last") })).rejects.toThrow(
      "class -3 is none of the 13",
    );
  });

  it("given names that the data has are met by name in any order; others rename in order, if they are as many", async () => {
    for (const name of ["ant/a.png", "bee/b.png"]) await put(name);
    const open = (...given: string[]) => openDataset(root, { classes: list(...given) });
    expect(names(await open("cat", "bee", "ant"))).toEqual(["ant/a.png ant", "bee/b.png bee"]);
    expect((await open("cat", "bee", "ant")).classNames).toEqual(["cat", "bee", "ant"]);
    expect(names(await open("Bee", "_ANT"))).toEqual(["ant/a.png _ANT", "bee/b.png Bee"]);
    const renamed = await open("an ant", "a bee");
    expect(names(renamed)).toEqual(["ant/a.png an ant", "bee/b.png a bee"]);
    expect(renamed.contents?.notes).toEqual(['classes renamed in order ("ant" is "an ant", ...)']);
    await expect(open("x", "y", "z")).rejects.toThrow("names 3 classes and");
    await expect(open("bee", "hornet")).rejects.toThrow('of which "ant" is not among them');
  });

  it("labels in a table are numbers, or names; zeros before them, and a spreadsheet's .0, do not matter", async () => {
    for (const name of ["a.png", "b.png"]) await put(name);
    const open = (a: string, b: string, ...given: string[]) =>
      put("t.csv", `image,label\na.png,${a}\nb.png,${b}\n`).then((file) =>
        openDataset(file, given.length > 0 ? { classes: list(...given) } : {}),
      );
    expect(examples(await open("007", "2.0")).map(({ label }) => label)).toEqual([7, 2]);
    expect(names(await open("bee", "ant"))).toEqual(["a.png bee", "b.png ant"]);
    expect(names(await open("bee", "ant", "cat", "bee", "ant"))).toEqual(["a.png bee", "b.png ant"]);
    expect(names(await open("1", "0", "zero", "one"))).toEqual(["a.png one", "b.png zero"]);
    expect(names(await open("911", "ant", "ant", "911"))).toEqual(["a.png 911", "b.png ant"]);
    await expect(open("0", "-1")).rejects.toThrow("row 2 has label -1: labels are counted from 0");
    await expect(open("0", "3", "zero", "one")).rejects.toThrow("row 2 has label 3 of 2 classes (0 to 1)");
    await expect(open("0", "ant")).rejects.toThrow('row 2 has label "ant" where 1 others are numbers');
  });
});

describe("shards", () => {
  it("img2dataset's folder: the tars are read, its tables and accounts are not; ranges and lists of names", async () => {
    for (const shard of ["00000", "00001"]) {
      await put(`${shard}.tar`, tar({ "a.png": await png(9), "a.txt": `from ${shard}`, "a.json": "{}", "._a.png": "junk", "__MACOSX/b.png": "junk", "c.url": "u" })); // biome-ignore format: one line
      await put(`${shard}.parquet`, "no Parquet");
      await put(`${shard}_stats.json`, "{}");
    }
    const set = await openDataset(root);
    expect(captions(set)).toEqual(["a: from 00000", "a#2: from 00001"]);
    expect(set.contents).toEqual({ captions: ".txt", leftOut: { hidden: 4, ".url": 2, ".parquet": 2 } });
    expect(captions(await openDataset(join(root, "{00000..00001}.tar")))).toHaveLength(2);
    expect(captions(await openDataset(`${join(root, "00001.tar")}::${join(root, "00000.tar")}`))[0]).toBe(
      "a: from 00001",
    );
    await expect(openDataset(join(root, "{00000..00002}.tar"))).rejects.toThrow("00002.tar");
    await expect(openDataset(join(root, "00000.{tar,parquet}"))).rejects.toThrow("only shards of one form");
  });

  it("names of ranges and lists", () => {
    expect(expandNames("a{08..11}-{x,y}.tar")).toEqual(["08", "09", "10", "11"].flatMap((n) => [`a${n}-x.tar`, `a${n}-y.tar`])); // biome-ignore format: one line
    expect(expandNames("p{q}.tar::{1..2}.tar")).toEqual(["p{q}.tar", "1.tar", "2.tar"]);
    expect(() => expandNames("{5..1}.tar")).toThrow("runs backwards");
    expect(() => expandNames("{0..999999}.tar")).toThrow("more than 100000");
    expect(() => expandNames("{0..999}{0..999}.tar")).toThrow("more than 100000");
  });

  it("labels in .cls and .json as text or number; class names above test/; compressed, whatever the ending", async () => {
    const files = async (a: string, b: string) => ({ "x.png": await png(1), "x.cls": a, "y.png": await png(2), "y.json": JSON.stringify({ label: b }) }); // biome-ignore format: one line
    await put("named/0.tar", tar(await files("bee\n", "ant")));
    const named = await openDataset(join(root, "named"));
    expect([names(named), named.contents?.labels]).toEqual([["x bee", "y ant"], ".cls and .json"]);
    await put("bench/test/0.tar", tar(await files("1", "0")));
    await put("bench/test/nshards.txt", "1");
    await put("bench/classnames.txt", "ant\nbee\n");
    expect(names(await openDataset(join(root, "bench")))).toEqual(["x bee", "y ant"]);
    for (const name of ["gz/0.tar.gz", "tgz/0.tgz", "tar/0.tar"]) {
      await put(name, gzipSync(tar(await files("1", "0"))));
      await put(join(dirname(name), "classes.txt"), "ant\nbee\n");
      const set = await openDataset(join(root, dirname(name)));
      expect(names(set)).toEqual(["x bee", "y ant"]);
      expect((await set.read([1], clipPreprocess(2))).data[0]).toBeCloseTo(2 / 255);
    }
    await put("cut/0.tar.gz", gzipSync(tar(await files("1", "0"))).subarray(0, 150));
    await expect(openDataset(join(root, "cut"))).rejects.toThrow("cannot unpack");
    await put("bomb/0.tar.gz", gzipSync(Buffer.alloc(2 ** 27)));
    await expect(openDataset(join(root, "bomb"))).rejects.toThrow("unpacks to more than 67108864 bytes");
  });

  it("endings of several parts; a second image of an example is counted", async () => {
    await put("a.tar", tar({ "x.view1.png": await png(1), "x.view2.png": await png(2), "x.caption.TXT": "an x", "x.meta.json": '{"label": 3}' })); // biome-ignore format: one line
    const set = await openDataset(root);
    expect([examples(set), set.contents?.leftOut]).toEqual([[{ id: "x", label: 3, caption: "an x" }], { "further images of an example": 1 }]); // biome-ignore format: one line
  });

  it("a text in an archive that is no UTF-8 is refused by archive, file and line", async () => {
    await put("a.tar", tar({ "a.png": await png(1), "a.txt": Buffer.from("caf\xe9", "latin1") }));
    await expect(openDataset(root)).rejects.toThrow(`${join(root, "a.tar")}: a.txt: line 1 is no UTF-8`);
    expect(captions(await openDataset(root, { encoding: "windows-1252" }))).toEqual(["a: caf\u00e9"]);
  });
});

it.each([
  "t.csv",
  "t.tar",
  "t.tar.gz",
  "t.parquet",
  "metadata.jsonl",
  "captions_x.json",
  "a.png",
  "classes.txt",
  "a.txt",
])("a Git LFS pointer in place of %s is said", async (name) => {
  await put("a.png", await png(1));
  await put("t.csv", "image,label\na.png,0\n");
  const pointer = await put(
    name,
    `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 12345\n`,
  );
  const path = name === "a.txt" ? root : ["a.png", "classes.txt"].includes(name) ? join(root, "t.csv") : pointer;
  if (name === "a.txt") await rm(join(root, "t.csv"));
  const read = async () => (await openDataset(path)).read([0], clipPreprocess(4));
  await expect(read()).rejects.toThrow("is a Git LFS pointer in place of 12,345 bytes: run git lfs pull");
});

it.each(["folder", "table", "archive", "triggered images"])(
  "a drawing called a.png, and HEIC called a.jpg, are refused by what they are: %s",
  async (entrance) => {
    const drawing = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>';
    const heic = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from("ftypheic\0\0\0\0mif1heic")]);
    await put("images/c/a.png", drawing);
    await put("images/c/b.jpg", heic);
    await put("t.csv", "image,label\nimages/c/a.png,c\nimages/c/b.jpg,c\n");
    await put("t.tar", tar({ "a.png": drawing, "b.jpg": heic }));
    const open = { folder: "images", table: "t.csv", archive: "t.tar", "triggered images": "images" }[entrance]!;
    const set =
      entrance === "triggered images" ? await openImageFolder(join(root, open)) : await openDataset(join(root, open));
    await expect(set.read([0], clipPreprocess(8))).rejects.toThrow("it is SVG or other markup, which is not read");
    await expect(set.read([1], clipPreprocess(8))).rejects.toThrow("it is HEIC, which is not read");
  },
);

it("900 archives, tables and images with bytes changed are read or refused, nothing else, within two seconds of processor time each", async () => {
  await put("x.png", await png(3));
  const bmp = Buffer.from("424d3a000000000000003600000028000000010000000100000001001800000000000400000000000000000000000000000000000000030201" + "00", "hex"); // biome-ignore format: one line
  const forms: Record<string, Buffer> = {
    "t.tar": tar({
      "a.png": await png(1),
      "a.txt": "an ant",
      "a.cls": "1",
      "b.jpg": await png(2),
      "b.json": '{"label": 0}',
    }),
    "t.tar.gz": gzipSync(tar({ "a.png": await png(1), "a.cls": "ant" })),
    "t.csv": Buffer.from('image,label,caption\nx.png,0,"a, b"\nx.png,1,th\u00e9\n'),
    "metadata.jsonl": Buffer.from('{"file_name": "x.png", "text": "one"}\n{"file_name": "x.png", "text": "two"}\n'),
    "captions_x.json": Buffer.from(
      '{"images": [{"id": 1, "file_name": "x.png"}], "annotations": [{"image_id": 1, "caption": "x"}]}',
    ),
    "t.token": Buffer.from("x.png#0\tone\nx.png#1\ttwo\n"),
    "i/a.bmp": bmp,
    "i/a.ppm": Buffer.from("P6 2 2 255\nabcdefghijkl"),
    "i/a.png": await png(5),
  };
  let seed = 3;
  const draw = (n: number) => (seed = (seed * 48271) % 2147483647) % n;
  let refused = 0;
  let slowest = 0;
  for (let n = 0; n < 900; n++) {
    const names = Object.keys(forms);
    const name = names[n % names.length];
    const bytes = Buffer.from(forms[name]);
    for (let k = 0; k <= draw(4); k++) bytes[draw(Math.min(bytes.length, 2000))] = draw(3) === 0 ? 255 : draw(256);
    await put(name, draw(10) === 0 ? bytes.subarray(0, draw(bytes.length)) : bytes);
    const before = process.cpuUsage();
    try {
      const set = await openDataset(join(root, name.startsWith("i/") ? "i" : name));
      await set.read([0, set.size - 1], clipPreprocess(4));
    } catch (error) {
      expect(error).toMatchObject({ name: "TbarError" });
      refused++;
    }
    const { user, system } = process.cpuUsage(before);
    slowest = Math.max(slowest, (user + system) / 1e6);
    if (name.startsWith("i/")) await rm(join(root, name));
  }
  expect(refused).toBeGreaterThan(150);
  expect(refused).toBeLessThan(850);
  expect(slowest).toBeLessThan(2);
});

it("train/ and test/ beside other folders are parts, not classes; a lone folder called train among others is a class", async () => {
  for (const name of ["train/ant/a.png", "train/bee/b.png", "test/ant/c.png", "logs/x.txt", "extra/y.png"])
    await put(`parts/${name}`);
  expect(names(await openDataset(join(root, "parts"), { split: "train" }))).toEqual(["ant/a.png ant", "bee/b.png bee"]);
  expect(names(await openDataset(join(root, "parts"), { split: "test" }))).toEqual(["ant/c.png ant"]);
  for (const name of ["bus/a.png", "train/b.png"]) await put(`traffic/${name}`);
  expect(names(await openDataset(join(root, "traffic")))).toEqual(["bus/a.png bus", "train/b.png train"]);
});

it("more shards than files may be open at a time", async () => {
  const bytes = tar({ "a.png": await png(1) });
  for (let i = 0; i < 1500; i++) await put(`many/${String(i).padStart(5, "0")}.tar`, bytes);
  expect((await openDataset(join(root, "many/{00000..01499}.tar"))).size).toBe(1500);
});
