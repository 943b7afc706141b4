import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clipPreprocess } from "../../checkpoint/config/preprocess.ts";
import type { Dataset } from "../dataset.ts";
import { openParquet } from "./parquet.ts";

/** As scripts/golden/data_files.py writes them with pyarrow: eight rows, the grey of image i is 10 i. */
const file = (name: string) => fileURLToPath(new URL(`../../../test/golden/files/${name}.parquet`, import.meta.url));
const examples = (d: Dataset) => Array.from({ length: d.size }, (_, i) => d.example(i));
const level = async (d: Dataset, index: number) => Math.round((await d.read([index], clipPreprocess(2))).data[0] * 255);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-parquet-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("Parquet", () => {
  it.each(["snappy", "none", "gzip", "brotli", "zstd", "lz4"])(
    "%s: labels and their names as Hugging Face keeps them, images by row; rows without an image fail when read",
    async (name) => {
      const set = await openParquet([file(name)]);
      expect(set.classNames).toEqual(["ant", "big bee", "cat"]);
      expect(examples(set).map(({ id, label }) => [id, label])).toEqual(
        [0, 1, 2, 0, 1, 2, undefined, undefined].map((label, i) => [`${name}/${i}`, label]),
      );
      const { data } = await set.read([5, 0, 3, 3], clipPreprocess(2));
      expect([0, 12, 24, 36].map((i) => Math.round(data[i] * 255))).toEqual([50, 0, 30, 30]);
      for (const row of [6, 7])
        await expect(set.read([row], clipPreprocess(2))).rejects.toThrow(`${file(name)}: row ${row} has no image`);
    },
  );

  it.each(["lists", "lists-v2"])("%s: each of a row's captions is an example", async (name) => {
    const set = await openParquet([file(name)]);
    expect(examples(set).map(({ id, caption }) => `${id} ${caption}`)).toEqual(
      [
        "0 one",
        "0#2 eins",
        "1 zwei",
        "2 undefined",
        "3 undefined",
        "4 fünf",
        "4#2 five",
        "5 six",
        "6 seven",
        "7 eight",
      ].map((x) => `${name}/${x}`),
    );
    expect([await level(set, 1), await level(set, 6), await level(set, 9)]).toEqual([0, 40, 70]);
  });

  it("several files are one data set; bytes without a struct, labels as int32", async () => {
    const set = await openParquet([file("flat"), file("flat")], { classes: { names: ["a", "b", "c"], file: "list" } });
    expect([set.size, await level(set, 3), await level(set, 15), set.example(15).label, set.example(15).id]).toEqual([
      16,
      30,
      70,
      1,
      "flat/7#2",
    ]);
    await expect(openParquet([file("flat")], { classes: { names: ["a"], file: "list" } })).rejects.toThrow(
      "flat/1 has label 1 of 1 classes",
    );
  });

  it("columns go by their names in any case", async () => {
    const bytes = await readFile(file("flat"));
    const renamed = (from: string, to: string) => Buffer.from(bytes.toString("latin1").replaceAll(from, to), "latin1");
    const path = join(folder, "cased.parquet");
    await writeFile(path, renamed("label", "Label"));
    const labels = async () => examples(await openParquet([path])).map(({ label }) => label);
    expect(await labels()).toEqual(examples(await openParquet([file("flat")])).map(({ label }) => label));
    await writeFile(path, renamed("img", "Img"));
    expect((await openParquet([path])).size).toBe(8);
  });

  it.each([
    ["words", []],
    ["words-dictionary", ["columns not used: width"]],
  ])("%s: labels as text, by the names found or given", async (name, notes) => {
    const names = async (classes?: readonly string[]) => {
      const set = await openParquet([file(name)], classes && { classes: { names: classes, file: "list" } });
      return examples(set).map(({ label }) => set.classNames?.[label ?? -1]);
    };
    const words = ["bee", "ant", "bee", undefined, "cat", "ant", "bee", "cat"];
    expect(await names()).toEqual(words);
    expect(await names(["dog", "cat", "bee", "ant"])).toEqual(words);
    await expect(names(["bee", "ant"])).rejects.toThrow(`${name}/4 has an unknown class "cat"`);
    const { contents, classNames } = await openParquet([file(name)]);
    expect([classNames, contents?.labels, contents?.notes ?? []]).toEqual([
      ["ant", "bee", "cat"],
      "column label",
      notes,
    ]);
  });

  it("labels that pandas made decimal numbers are numbers; lists of labels are refused", async () => {
    const { example, classNames } = await openParquet([file("float-labels")]);
    expect([0, 1, 2, 3, 7].map((i) => example(i).label)).toEqual([0, 1, 2, 0, 1]);
    expect(classNames).toBeUndefined();
    await expect(openParquet([file("label-lists")])).rejects.toThrow(
      "column label has a list of labels for each image",
    );
  });

  it("paths of images in place of images: said, with what would do", async () => {
    await expect(openParquet([file("paths")])).rejects.toThrow(
      "column image.path holds the names of files. Put a .csv",
    );
    await expect(openParquet([file("path-texts")])).rejects.toThrow("column image holds the names of files");
  });

  it("a footer that claims more rows than there are bytes for", async () => {
    await expect(openParquet([file("claims")])).rejects.toThrow("it claims 500000 rows with images and has");
  });

  it("a file cut short, or that is no Parquet, is named", async () => {
    const bytes = await readFile(file("snappy"));
    const broken = join(folder, "broken.parquet");
    for (const part of [bytes.subarray(0, 100), bytes.subarray(8), Buffer.from("PAR1PAR1"), Buffer.alloc(0)]) {
      await writeFile(broken, part);
      const read = async () => (await openParquet([broken])).read([0], clipPreprocess(2));
      await expect(read()).rejects.toMatchObject({ name: "TbarError", message: expect.stringContaining(broken) });
    }
  });

  it("500 files with bytes changed are read or refused, nothing else", async () => {
    const sources = await Promise.all(["snappy", "zstd", "lists", "gzip"].map((name) => readFile(file(name))));
    const broken = join(folder, "fuzz.parquet");
    let seed = 1;
    const draw = (n: number) => {
      seed = (seed * 48271) % 2147483647;
      return seed % n;
    };
    let refused = 0;
    for (let n = 0; n < 500; n++) {
      const bytes = Buffer.from(sources[draw(sources.length)]);
      for (let k = 0; k <= draw(4); k++) bytes[draw(bytes.length)] = draw(3) === 0 ? 255 : draw(256);
      await writeFile(broken, bytes);
      try {
        const set = await openParquet([broken]);
        await set.read([0, set.size - 1], clipPreprocess(2));
      } catch (error) {
        expect(error).toMatchObject({ name: "TbarError" });
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(100);
  });
});

it("a schema with a negative number of children is read to its end", async () => {
  const bytes = await readFile(file("lists-v2"));
  const caption = bytes.indexOf("caption", bytes.length - 1500);
  expect([...bytes.subarray(caption + 7, caption + 9)]).toEqual([0x15, 0x02]); // field 5: one child
  bytes[caption + 8] = 0x01; // minus one
  await writeFile(join(folder, "negative.parquet"), bytes);
  await expect(openParquet([join(folder, "negative.parquet")])).rejects.toMatchObject({ code: "bad-input" });
});
