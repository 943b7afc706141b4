/** The line after opening: what it counts, and that it stays one line. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDataset } from "../data/open.ts";
import { openedData } from "../jobs/inputs/describe-opened.ts";
import { neededClasses, openSource } from "../jobs/inputs/source.ts";
import { openedLine } from "./opened-line.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "tbar-opened-"));
});
afterEach(() => rm(root, { recursive: true }));

async function put(...names: string[]): Promise<void> {
  for (const name of names) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), "");
  }
}

test("images and classes, the least and the most, what is left out and where labels come from", async () => {
  await put(
    "photos/ant/1.png",
    "photos/ant/2.png",
    "photos/ant/3.heic",
    "photos/bee/1.png",
    "photos/.x",
    "photos/logs/a",
  );
  const data = openedData(await openDataset(join(root, "photos")), 1);
  expect(data).toEqual({
    name: "photos",
    images: 3,
    classes: 2,
    least: 1,
    most: 2,
    labels: "folders",
    leftOut: { hidden: 1, "folders without an image (logs)": 1, ".heic": 1, "unreadable images": 1 },
    notes: [],
  });
  expect(openedLine({ data: { data } })).toBe(
    "data photos: 3 images in 2 classes, 1 to 2 each, labels by folders, left out: 1 hidden, 1 folders without an image (logs), 1 .heic, 1 unreadable images",
  );
});

test("classes without an image count as none; captions that only some have; texts that stay broken", async () => {
  await put("a.png", "b.png");
  await writeFile(join(root, "t.csv"), "image,label,caption\na.png,0,caf\u00e9\u00ac\nb.png,1,\n");
  await writeFile(join(root, "classes.txt"), "ant\nbee\ncat\n");
  const data = openedData(await openDataset(join(root, "t.csv")));
  expect(data).toMatchObject({ classes: 3, least: 0, most: 1, labels: "column label", captions: "column caption" });
  expect(data.classNames).toBe(join(root, "classes.txt"));
  expect(data.broken).toEqual({ texts: 1, first: "caf\u00e9\u00ac" });
});

test("one line, of bounded length, whatever the names are", () => {
  const long = "x\n\u001b[2J".repeat(500);
  const leftOut = Object.fromEntries(Array.from({ length: 99 }, (_, i) => [`.${i}`, i]));
  const model = {
    name: long,
    preprocess: long,
    activation: "gelu" as const,
    assumptions: [long],
    ignored: Array(99).fill(long),
  };
  const line = openedLine({ data: { data: { name: long, images: 1, leftOut, notes: [long] } }, models: [model] });
  expect(line.length).toBeLessThan(1000);
  expect(line).not.toContain("\n");
  expect(line).not.toContain("\u001b");
});

test("sets that are smaller than asked say so; none at all is refused with the options", async () => {
  await put(...Array.from({ length: 10 }, (_, i) => `d/${i % 2 ? "ant" : "bee"}/${i}.png`));
  const source = await openSource(join(root, "d"), { seed: 1 });
  await source.sets({ forget: 30, test: 20 });
  expect(source.opened().data.sets).toEqual({ forget: { images: 6, asked: 30 }, test: { images: 4, asked: 20 } });
  expect(openedLine({ data: source.opened() })).toContain("forget: 6 of 30 asked for, test: 4 of 20 asked for");
  await source.sets({ test: 5 });
  expect(source.opened().data.sets).toEqual({ test: { images: 5 } });
  await expect(source.sets({ implant: 3000, test: 1 })).rejects.toThrow(
    "--images 3000, --test 1, but d has only 10 images: none would be left for test",
  );
});

test("one class is refused, in the data or in a list; a folder called shapes-... is no built-in world", async () => {
  await put("shapes-photos/ant/1.png");
  const one = await openSource(join(root, "shapes-photos"), { seed: 1 });
  expect(one.size).toBe(1);
  expect(() => neededClasses(one)).toThrow('shapes-photos has one class, "ant": every answer is right');
  await writeFile(join(root, "list.txt"), "ant\n");
  const list = await openSource(join(root, "shapes-photos"), { seed: 1, classesFile: join(root, "list.txt") });
  expect(() => neededClasses(list)).toThrow("has one class");
  await writeFile(join(root, "list.txt"), "bee\nant\n");
  const two = await openSource(join(root, "shapes-photos"), { seed: 1, classesFile: join(root, "list.txt") });
  expect([neededClasses(two), (await two.sets({ test: 1 })).test.example(0).label]).toEqual([["bee", "ant"], 1]);
});

test("sets of their own have the classes of the data, by name; strangers among them are refused", async () => {
  await put("a/ant/1.png", "a/bee/1.png", "a/cat/1.png", "b/cat/1.png", "b/bee/2.png", "c/bee/1.png", "c/dog/1.png");
  const source = await openSource(join(root, "a"), { seed: 1, testData: join(root, "b") });
  const { test } = await source.sets({ test: 2 });
  const names = Array.from(
    { length: 2 },
    (_, i) => `${test.example(i).id} ${source.classNames?.[test.example(i).label!]}`,
  );
  expect(names.sort()).toEqual(["bee/2.png bee", "cat/1.png cat"]);
  expect(Object.keys(source.opened())).toEqual(["data", "test"]);
  await expect(openSource(join(root, "a"), { seed: 1, testData: join(root, "c") })).rejects.toThrow(
    '"dog" is not among them',
  );
});

test("the same images to train and to test on are refused; parts of one folder are not the same", async () => {
  await put(
    "d/ant/1.png",
    "d/bee/1.png",
    "p/train/ant/1.png",
    "p/train/bee/1.png",
    "p/test/ant/1.png",
    "p/test/bee/1.png",
  );
  const open = (name: string) => openSource(join(root, name), { seed: 1, testData: `${join(root, name)}/` });
  await expect(open("d")).rejects.toThrow("these are the images of --data, which has no parts of its own");
  expect((await (await open("p")).sets({ test: 9 })).test.size).toBe(2);
});

test.each(["{}", "{c}", "{class}", "{class_name}", "{classname}", "{label}", "{0}"])(
  "templates: %s stands for the class name",
  async (place) => {
    await put("d/ant/1.png", "d/bee/1.png");
    await writeFile(join(root, "t.txt"), `\ufeffa photo of a ${place}.\r\n\n`);
    const source = await openSource(join(root, "d"), { seed: 1, templatesFile: join(root, "t.txt") });
    expect(source.templates).toEqual(["a photo of a {}."]);
  },
);

test("lists of classes and templates that are no UTF-8 are refused by line, or read as said", async () => {
  await put("d/caf\u00e9/1.png", "d/th\u00e9/1.png");
  const file = join(root, "names.txt");
  await writeFile(file, Buffer.from("th\u00e9\ncaf\u00e9\n", "latin1"));
  const open = (encoding?: "latin1") => openSource(join(root, "d"), { seed: 1, classesFile: file, encoding });
  await expect(open()).rejects.toThrow(`${file}: line 1 is no UTF-8`);
  expect((await open("latin1")).classNames).toEqual(["th\u00e9", "caf\u00e9"]);
  await writeFile(file, "\n");
  await expect(open()).rejects.toThrow("is empty; expected one class name a line");
});

test("captions alone are no classes, and class names would not help", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tbar-captions-"));
  try {
    await writeFile(join(folder, "a.png"), "");
    await writeFile(join(folder, "captions.jsonl"), '{ "file_name": "a.png", "text": "an ant" }\n');
    const source = await openSource(folder, { seed: 1 });
    expect(() => neededClasses(source)).toThrow("has captions (key text) and no labels");
  } finally {
    await rm(folder, { recursive: true });
  }
});
