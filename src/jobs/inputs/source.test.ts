import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Dataset } from "../../data/dataset.ts";
import { imagenetNames } from "../../data/sets/imagenet-names.ts";
import { knownData } from "../../data/sets/prompts.ts";
import { openSource } from "./source.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-source-"));
});
afterEach(() => rm(folder, { recursive: true }));

const withClasses = async (...names: string[]) => {
  const data = join(folder, "data");
  for (const name of names) await mkdir(join(data, name), { recursive: true });
  for (const name of names) await writeFile(join(data, name, "a.png"), "");
  return data;
};

test("prompts: CLIP's own where the class names tell the data set, else plain ones, or those asked for", async () => {
  const cifar = await withClasses(
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
  );
  const templates = async (templatesFile?: string) => (await openSource(cifar, { seed: 1, templatesFile })).templates;
  expect(await templates()).toBe(knownData.cifar10.templates);
  expect(await templates("plain")).toEqual(["a photo of a {}.", "a picture of a {}.", "an image of a {}."]);
  expect(await templates("sun397")).toEqual(["a photo of a {}.", "a photo of the {}."]);
  const file = join(folder, "prompts.txt");
  await writeFile(file, "my {}\n");
  expect(await templates(file)).toEqual(["my {}"]);
  await writeFile(file, "my thing\n");
  await expect(templates(file)).rejects.toThrow('the template "my thing" has no {} for the class name');
  await rm(cifar, { recursive: true });
  const other = await openSource(await withClasses("ant", "bee"), { seed: 1 });
  expect(other.templates).toHaveLength(3);
});

async function images(name: string, count: number): Promise<string> {
  const files = Array.from({ length: count }, (_, i) => `${name}${i}.png`);
  for (const file of files) await writeFile(join(folder, file), "");
  await writeFile(join(folder, `${name}.csv`), ["image,caption", ...files.map((file) => `${file},a thing`)].join("\n"));
  return join(folder, `${name}.csv`);
}

test("--validation-data and --test-data give those sets; the rest is split from --data alone", async () => {
  const [data, validationData, testData] = [await images("a", 5), await images("b", 3), await images("c", 4)];
  const source = await openSource(data, { seed: 1, validationData, testData });
  const sets = await source.sets({ forget: 5, validation: 3, test: 2 });
  const ids = (set: Dataset) => Array.from({ length: set.size }, (_, i) => set.example(i).id[0]).join("");
  expect([ids(sets.forget), ids(sets.validation), ids(sets.test)]).toEqual(["aaaaa", "bbb", "cc"]);
});

test("beside a test part, validation images are a tenth of the rest that no seed moves, where that is enough", async () => {
  const [data, testData] = [await images("a", 60), await images("b", 4)];
  const idsOf = async (validation: number, seed: number) => {
    const sets = await (await openSource(data, { seed, testData })).sets({ forget: 30, validation });
    const ids = (set: Dataset) => Array.from({ length: set.size }, (_, i) => set.example(i).id);
    expect(new Set([...ids(sets.forget), ...ids(sets.validation)]).size).toBe(30 + validation);
    return ids(sets.validation).sort();
  };
  expect(await idsOf(6, 1)).toEqual(await idsOf(6, 2));
  expect(await idsOf(7, 1)).not.toEqual(await idsOf(7, 2));
});

test("class names: imagenet by name", async () => {
  const source = await openSource(await withClasses("ant"), { seed: 1, classesFile: "imagenet" });
  expect(source.classNames).toBe(imagenetNames);
  expect(source.templates).toHaveLength(80);
});
