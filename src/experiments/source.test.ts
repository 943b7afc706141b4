import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { imagenetNames } from "../data/imagenet-names.ts";
import { knownData } from "../data/prompts.ts";
import { openSource } from "./source.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-source-"));
});
afterEach(() => rm(folder, { recursive: true }));

const withClasses = async (...names: string[]) => {
  const data = join(folder, "data");
  for (const name of names) await mkdir(join(data, name), { recursive: true });
  await writeFile(join(data, names[0], "a.png"), "");
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

test("class names: imagenet by name", async () => {
  const source = await openSource(await withClasses("ant"), { seed: 1, classesFile: "imagenet" });
  expect(source.classNames).toBe(imagenetNames);
  expect(source.templates).toHaveLength(80);
});
