import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { clipPreprocess, siglipPreprocess } from "../checkpoint/config/preprocess.ts";
import { checkImages } from "./check.ts";
import type { Dataset } from "./dataset.ts";
import { openDataset } from "./open.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "tbar-open-"));
});
afterEach(() => rm(root, { recursive: true }));

async function put(name: string, bytes: Uint8Array | string): Promise<string> {
  const file = join(root, name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, bytes);
  return file;
}

/** An image of one grey. */
const grey = async (name: string, level: number) => {
  const background = { r: level, g: level, b: level };
  await put(
    name,
    await sharp({ create: { width: 4, height: 4, channels: 3, background } })
      .png()
      .toBuffer(),
  );
};

const examples = (d: Dataset) => Array.from({ length: d.size }, (_, i) => d.example(i));
const level = async (d: Dataset, index: number) => Math.round((await d.read([index], clipPreprocess(2))).data[0] * 255);

describe("a folder of class folders", () => {
  it("classes are the folders' names in order, _ read as a space; nested, hidden and foreign files are left out", async () => {
    await grey("great_owl/b.PNG", 20);
    await grey("great_owl/a.png", 10);
    await grey("Bat/x.png", 30);
    await grey("great_owl/deeper/c.png", 0);
    await grey(".hidden/c.png", 0);
    await put("great_owl/notes.txt", "");
    const set = await openDataset(root);
    expect(set.classNames).toEqual(["Bat", "great owl"]);
    expect(examples(set)).toEqual([
      { id: "Bat/x.png", label: 0 },
      { id: "great_owl/a.png", label: 1 },
      { id: "great_owl/b.PNG", label: 1 },
    ]);
    const { shape, data } = await set.read([2, 0], clipPreprocess(8));
    expect(shape).toEqual([2, 3, 8, 8]);
    expect([data[0], data[191], data[192]]).toEqual([20, 20, 30].map((v) => Math.fround(v / 255)));
  });

  it("linked class folders are followed", async () => {
    await grey("elsewhere/cat/a.png", 1);
    await mkdir(join(root, "set"));
    await symlink(join(root, "elsewhere/cat"), join(root, "set/cat"));
    expect(examples(await openDataset(join(root, "set")))).toEqual([{ id: "cat/a.png", label: 0 }]);
  });

  it.skipIf(process.platform !== "linux")("a name that is no UTF-8 is refused by what it is", async () => {
    await grey("cat/a.png", 1);
    await mkdir(Buffer.concat([Buffer.from(`${root}/`), Buffer.of(0xff, 0x61)]));
    await expect(openDataset(root)).rejects.toThrow("its name is no UTF-8");
  });

  it("a flat folder has no labels", async () => {
    await grey("b.png", 1);
    await grey("a.png", 2);
    const set = await openDataset(root);
    expect(set.classNames).toBeUndefined();
    expect(examples(set).map(({ id, label }) => [id, label])).toEqual([["a.png", undefined], ["b.png", undefined]]); // biome-ignore format: a table
  });

  it("an empty folder, or one whose images lie deeper, says what is expected", async () => {
    await expect(openDataset(root)).rejects.toThrow(`no images in ${root}; expected CLASS/*.jpg or *.jpg`);
    await grey("pictures/cat/a.png", 1);
    await expect(openDataset(root)).rejects.toThrow("found 1 folders without images, such as pictures");
    await expect(openDataset(join(root, "none"))).rejects.toThrow("no such file or folder");
    await expect(openDataset(await put("a.zip", ""))).rejects.toThrow(
      "a.zip is not a data set; expected a folder of class folders",
    );
  });

  it("the model's preprocessing decides: the middle alone, or the whole image", async () => {
    const wide = Uint8Array.from({ length: 8 * 4 * 3 }, (_, i) => (Math.floor(i / 3) % 8 < 2 ? 255 : 0));
    await put(
      "wide.png",
      await sharp(wide, { raw: { width: 8, height: 4, channels: 3 } })
        .png()
        .toBuffer(),
    );
    expect((await (await openDataset(root)).read([0], clipPreprocess(4))).data[0]).toBe(0);
    expect((await (await openDataset(root)).read([0], siglipPreprocess(4))).data[0]).toBeGreaterThan(0.9);
  });
});

describe("a CSV", () => {
  it("image,label by name: classes in sorted order, quoted and reordered columns, paths relative and absolute", async () => {
    await grey("pictures/a.png", 10);
    await grey("b, c.png", 20);
    const csv = await put(
      "data.csv",
      `\uFEFFLabel, extra ,IMAGE\r\nzebra,1,pictures/a.png\r\nant,2,"${join(root, "b, c.png")}"\r\n`,
    );
    const set = await openDataset(csv);
    expect(set.classNames).toEqual(["ant", "zebra"]);
    expect(examples(set).map((e) => e.label)).toEqual([1, 0]);
    expect([await level(set, 0), await level(set, 1)]).toEqual([10, 20]);
  });

  it("image,label by index, with names from classes.json or classes.txt beside it", async () => {
    await grey("a.png", 1);
    const csv = await put("data.csv", "image,label\na.png,1\n");
    expect((await openDataset(csv)).classNames).toBeUndefined();
    await put("classes.txt", "ant\nbig bee\n\n");
    expect((await openDataset(csv)).classNames).toEqual(["ant", "big bee"]);
    await put("classes.json", '{"classes": ["one"], "templates": []}');
    await expect(openDataset(csv)).rejects.toThrow("row 1 has label 1 of 1 classes (0 to 0)");
    await put("classes.json", "{}");
    await expect(openDataset(csv)).rejects.toThrow("classes.json: expected a JSON list of class names");
  });

  it("image,caption: rows of one image have ids of their own; images may lie in images/; a folder with one CSV is that CSV", async () => {
    await grey("images/a.png", 9);
    await put("captions.csv", 'image,caption\na.png,"A dog, running"\na.png,A dog\n');
    const set = await openDataset(root);
    expect(examples(set)).toEqual([
      { id: "a.png", caption: "A dog, running" },
      { id: "a.png#2", caption: "A dog" },
    ]);
    expect(await level(set, 1)).toBe(9);
  });

  it.each([
    ["has a header and no rows", "image,label\n"],
    ["has a header and no rows", ""],
    ["expected a header with image,label or image,caption and found file,label", "file,label\na.png,1\n"],
    ["found image,headline", "image,headline\na.png,1\n"],
    ["Invalid Record Length", "image,label\na.png,1,2\n"],
    ["2 of 3 rows name a missing file, such as ", "image,label\nb.png,1\na.png,1\nc.png,1\n"],
    ["row 1 names no image", "image,label\n,1\n"],
    ["row 1 has no label", "image,label\na.png,\n"],
    ["cannot read", `image,caption\na.png,"${"x".repeat(1 << 21)}`],
  ])("refuses: %s", async (message, text) => {
    await grey("a.png", 1);
    const csv = await put("data.csv", text);
    await expect(openDataset(csv)).rejects.toMatchObject({
      name: "TbarError",
      message: expect.stringContaining(message),
    });
    await expect(openDataset(csv)).rejects.toThrow("data.csv");
  });

  it("names not in classes.txt are refused with the nearest one", async () => {
    await grey("a.png", 1);
    await put("classes.txt", "ant\nbee\n");
    await expect(openDataset(await put("data.csv", "image,label\na.png,bea\n"))).rejects.toThrow(
      '"bea"; did you mean "bee"?',
    );
  });
});

describe("unreadable images", () => {
  it("are named on read; with skipBad they are left out, listed and counted, missing ones too", async () => {
    await grey("good.png", 50);
    await put("broken.png", "no image");
    const csv = await put("data.csv", "image,label\nbroken.png,ant\ngood.png,bee\nmissing.png,ant\n");
    await put("other.csv", "image,label\nbroken.png,ant\ngood.png,bee\n");
    await expect((await openDataset(join(root, "other.csv"))).read([1, 0], clipPreprocess(4))).rejects.toThrow(
      join(root, "broken.png"),
    );
    const set = await openDataset(csv, { skipBad: true });
    expect(set.skipped.map(({ id }) => id)).toEqual(["broken.png", "missing.png"]);
    expect(set.skipped[1].reason).toContain("no such file");
    expect(examples(set)).toEqual([{ id: "good.png", label: 0 }]);
    expect([set.classNames, set.contents?.notes]).toEqual([["bee"], ["no image of ant can be read: no class"]]);
    expect(await level(set, 0)).toBe(50);
  });

  it("a folder none of whose images can be read is no class, unless the classes are listed", async () => {
    for (const name of ["ant", "cat", "dog"]) await grey(`${name}/a.png`, 50);
    await put("bee/a.png", "no image");
    const set = await openDataset(root, { skipBad: true });
    expect(set.classNames).toEqual(["ant", "cat", "dog"]);
    expect(examples(set).map(({ id, label }) => `${id} ${label}`)).toEqual([
      "ant/a.png 0",
      "cat/a.png 1",
      "dog/a.png 2",
    ]);
    await put("classes.txt", "ant\nbee\ncat\ndog\n");
    const names = ["ant", "bee", "cat", "dog"];
    const listed = await openDataset(root, { skipBad: true, classes: { names, file: "classes.txt" } });
    expect([listed.classNames, listed.example(1).label]).toEqual([names, 2]);
  });

  it("nothing readable is an error; a defect of the program is not taken for a bad image", async () => {
    await put("broken.png", "no image");
    await expect(openDataset(root, { skipBad: true })).rejects.toThrow("none of the 1 images");
    const faulty: Dataset = {
      name: "x",
      size: 1,
      example: () => ({ id: "a" }),
      read: () => Promise.reject(new TypeError("bug")),
    };
    await expect(checkImages(faulty)).rejects.toThrow("bug");
  });
});

describe("other forms", () => {
  it("open_clip's CSV: tabs, filepath and title", async () => {
    await grey("a.png", 7);
    const set = await openDataset(await put("data.csv", "filepath\ttitle\na.png\tone, two\n"));
    expect(examples(set)).toEqual([{ id: "a.png", label: undefined, caption: "one, two" }]);
  });

  it("JSON lines of any name, where they are named; captions.jsonl beside images as metadata.jsonl", async () => {
    await grey("a.png", 7);
    const lines = '{ "file_name": "a.png", "text": "one" }\n';
    const wanted = [{ id: "a.png", label: undefined, caption: "one" }];
    expect(examples(await openDataset(await put("some.jsonl", lines)))).toEqual(wanted);
    await put("captions.jsonl", lines);
    expect(examples(await openDataset(root))).toEqual(wanted);
  });

  it("a CSV with semicolons, its lines ended as on any system", async () => {
    await grey("a.png", 7);
    for (const end of ["\n", "\r\n", "\r"]) {
      const set = await openDataset(await put("data.csv", ["image;caption", "a.png;one, two", ""].join(end)));
      expect(examples(set)).toEqual([{ id: "a.png", label: undefined, caption: "one, two" }]);
    }
  });

  it("a Git LFS pointer is recognized whatever the file is called", async () => {
    const pointer = `version https://git-lfs.github.com/spec/v1\r\noid sha256:${"0".repeat(64)}\r\nsize 77\r\n`;
    for (const name of ["data.arrow", "data.jsonl", "data.json", "train.bin", "data_batch_1"])
      await expect(openDataset(await put(name, pointer))).rejects.toThrow("is a Git LFS pointer in place of 77 bytes");
  });

  it("skipBad leaves out malformed rows too, and counts them", async () => {
    await grey("a.png", 7);
    await put("classes.txt", "ant\nbee\n");
    const csv = await put("data.csv", "image,label\na.png,ant\na.png,ant,more\n,bee\na.png,\na.png,bea\na.png,bee\n");
    const set = await openDataset(csv, { skipBad: true });
    expect(examples(set).map(({ label }) => label)).toEqual([0, 1]);
    expect(set.skipped.map(({ reason }) => reason.replace(/:.*/, ""))).toEqual([
      "a row is malformed",
      "row 2 names no image",
      "row 3 has no label",
      'row 4 has an unknown class "bea"; did you mean "bee"? known',
    ]);
  });

  it("folders and files named train and test are the official splits", async () => {
    await grey("train/ant/a.png", 1);
    await grey("val/ant/b.png", 2);
    await expect(openDataset(root)).rejects.toThrow(
      "has train, val; name one of them, or ask for the train or test split",
    );
    expect(examples(await openDataset(root, { split: "test" }))).toEqual([{ id: "ant/b.png", label: 0 }]);
    await grey("test/ant/c.png", 2);
    expect(examples(await openDataset(root, { split: "test" }))[0].id).toBe("ant/c.png");
    await mkdir(join(root, "linked"));
    for (const part of ["train", "test"]) await symlink(join(root, part), join(root, "linked", part));
    expect(examples(await openDataset(join(root, "linked"), { split: "test" }))[0].id).toBe("ant/c.png");
    const parquet = await readFile(new URL("../../test/golden/files/flat.parquet", import.meta.url));
    for (const name of ["train-00000-of-00002", "train-00001-of-00002", "validation-00000-of-00001"])
      await put(`hf/data/${name}.parquet`, parquet);
    await put("hf/README.md", "");
    expect((await openDataset(join(root, "hf"), { split: "train" })).size).toBe(16);
    expect((await openDataset(join(root, "hf"), { split: "test" })).name).toBe("validation");
  });

  it("ImageNet: class folders by WordNet id have OpenAI's names", async () => {
    await grey("n07753592/a.png", 1);
    await grey("n01440764/b.png", 2);
    expect((await openDataset(root)).classNames).toEqual(["tench", "banana"]);
  });

  const image = (n: number) => `ILSVRC2012_val_0000000${n}.JPEG`;
  it.each([
    ["val.txt", `${image(1)} 954\nval/${image(2)} 0\n`],
    ["val_map.txt", `${image(2)} n01440764\n${image(1)} n07753592\n`],
    [
      "LOC_val_solution.csv",
      `ImageId,PredictionString\n${image(2).slice(0, -5)},n01440764 1 2 3 4 \n${image(1).slice(0, -5)},n07753592 1 2 3 4 n07753592 5 6 7 8\n`,
    ],
    ["imagenet_2012_validation_synset_labels.txt", "n07753592\nn01440764\n"],
  ])("ImageNet: validation images in one folder, labelled by %s in it or above", async (name, text) => {
    for (const n of [1, 2]) await grey(`val/${image(n)}`, n);
    await expect(openDataset(join(root, "val"))).rejects.toThrow("and no labels; put one of val.txt, val_map.txt");
    for (const place of ["", "val/"]) {
      await put(place + name, text);
      const set = await openDataset(join(root, "val"));
      expect(examples(set).map(({ id, label }) => `${id} ${set.classNames![label!]}`)).toEqual([
        `${image(1)} banana`,
        `${image(2)} tench`,
      ]);
    }
    await grey(`val/${image(3)}`, 3);
    await expect(openDataset(join(root, "val"))).rejects.toThrow(`has no label from 0 to 999 for ${image(3)}`);
  });

  it("ImageNet: one of its validation images beside class folders, or beside a table, needs no labels of its own", async () => {
    await grey(image(1), 1);
    await grey("fox/a.png", 2);
    await grey("owl/b.png", 3);
    const folders = await openDataset(root);
    expect([folders.size, folders.classNames, folders.contents?.leftOut]).toEqual([
      2,
      ["fox", "owl"],
      { "images beside the class folders": 1 },
    ]);
    await put("labels.csv", `image,label\n${image(1)},hut\nowl/b.png,owl\n`);
    expect((await openDataset(root)).classNames).toEqual(["hut", "owl"]);
  });

  it("SUN397: the first partition's files, names without the first letter, classes of ClassName.txt", async () => {
    await grey("SUN397/a/abbey/sun_1.jpg", 1);
    await grey("SUN397/c/church/outdoor/sun_2.jpg", 2);
    await put("Training_01.txt", "/c/church/outdoor/sun_2.jpg\n/a/abbey/sun_1.jpg\n");
    await put("Testing_01.txt", "/a/abbey/sun_1.jpg\n");
    await put("Training_02.txt", "/a/abbey/sun_3.jpg\n");
    const set = await openDataset(root, { split: "train" });
    expect([set.classNames, examples(set).map(({ label }) => label), await level(set, 0)]).toEqual([
      ["abbey", "church outdoor"],
      [1, 0],
      2,
    ]);
    await put("ClassName.txt", "/a/abbey\n/a/alley\n/c/church/outdoor\n");
    expect(examples(await openDataset(root, { split: "train" })).map(({ label }) => label)).toEqual([2, 0]);
    await expect(openDataset(join(root, "Training_02.txt"))).rejects.toThrow(
      "lists /a/abbey/sun_3.jpg, which is not in",
    );
    await put("Training_01.txt", "/a/../../etc/passwd.jpg\n");
    await expect(openDataset(root, { split: "train" })).rejects.toThrow("is no path such as /a/abbey/sun_1.jpg");
  });

  it("SUN397 as class folders: a_abbey and _a_abbey are abbey", async () => {
    for (let i = 0; i < 397; i++) await put(`_${i % 2 ? "a" : "z"}_class_${i}/x.jpg`, "");
    expect((await openDataset(root)).classNames!.slice(0, 2)).toEqual(["class 1", "class 101"]);
  });
});

describe("CIFAR", () => {
  /** `count` records: label bytes, then planes of red = 10 n, green = 1, blue = 2. */
  const records = (count: number, label: (n: number) => number[]) =>
    Uint8Array.from(
      Array.from({ length: count }, (_, n) => [
        ...label(n),
        ...Array(1024).fill(10 * n),
        ...Array(1024).fill(1),
        ...Array(1024).fill(2),
      ]).flat(),
    );

  it("CIFAR-100: coarse label, fine label, three planes; the fine label counts", async () => {
    await put("fine_label_names.txt", "apple\naquarium_fish\nbaby\n");
    const file = await put(
      "test.bin",
      records(600, (n) => [19, n % 3]),
    );
    const set = await openDataset(file);
    expect([set.size, set.classNames]).toEqual([600, ["apple", "aquarium fish", "baby"]]);
    expect(examples(set)[500]).toEqual({ id: "test/500", label: 500 % 3 });
    const { shape, data } = await set.read([7, 1], clipPreprocess(32));
    expect(shape).toEqual([2, 3, 32, 32]);
    expect([data[0], data[1023], data[1024], data[2048], data[3072]]).toEqual(
      [70, 70, 1, 2, 10].map((v) => Math.fround(v / 255)),
    );
    expect((await set.read([7], clipPreprocess(48))).data[0]).toBe(Math.fround(70 / 255));
  });

  it("CIFAR-10: one label; a folder's training files are one data set, and the split must be named", async () => {
    await put("batches.meta.txt", "airplane\nautomobile\n\n");
    await put(
      "data_batch_1.bin",
      records(2, () => [0]),
    );
    await put(
      "data_batch_2.bin",
      records(3, () => [1]),
    );
    await put(
      "test_batch.bin",
      records(1, () => [1]),
    );
    const set = await openDataset(root, { split: "train" });
    expect(examples(set).map((e) => e.label)).toEqual([0, 0, 1, 1, 1]);
    expect(await level(set, 3)).toBe(10);
    expect((await openDataset(root, { split: "test" })).size).toBe(1);
    await expect(openDataset(root)).rejects.toThrow(
      "has data_batch_1.bin, data_batch_2.bin, test_batch.bin; name one of them",
    );
  });

  it("refuses missing names, a broken size and a label without a name", async () => {
    const file = await put(
      "train.bin",
      records(2, (n) => [0, n]),
    );
    await expect(openDataset(file)).rejects.toThrow(
      "expected fine_label_names.txt (CIFAR-100) or batches.meta.txt (CIFAR-10)",
    );
    await put("fine_label_names.txt", "apple\n");
    await expect(openDataset(root)).rejects.toThrow("record 1 has label 1; fine_label_names.txt has 1 names");
    await put("train.bin", records(2, () => [0, 0]).subarray(0, 5000));
    await expect(openDataset(file)).rejects.toThrow("5000 bytes are no whole number of records of 3074 bytes");
  });
});

const shared = fileURLToPath(new URL("../../../shared/data", import.meta.url));

describe.skipIf(!existsSync(shared))("the photographs of ../shared/data", () => {
  it("open by their folders", async () => {
    const cifar = await openDataset(join(shared, "cifar100"), { split: "test" });
    expect([cifar.size, cifar.classNames?.length, cifar.classNames?.[1]]).toEqual([6000, 100, "aquarium fish"]);
    const counts = new Array(100).fill(0);
    for (const { label } of examples(cifar)) counts[label!]++;
    expect(new Set(counts)).toEqual(new Set([60]));
    const imagenet = await openDataset(join(shared, "imagenet-val-1300"));
    expect([imagenet.size, imagenet.classNames?.[954]]).toEqual([1300, "banana"]);
    const flickr = await openDataset(join(shared, "flickr8k-1000"));
    expect([flickr.size, flickr.classNames]).toEqual([5000, undefined]);
    expect((await flickr.read([0, 4999], clipPreprocess(32))).shape).toEqual([2, 3, 32, 32]);
  });
});
