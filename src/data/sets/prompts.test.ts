import { expect, test } from "vitest";
import { imagenetIds, imagenetNames } from "./imagenet-names.ts";
import { curated, knownData, recognize } from "./prompts.ts";

test("as many prompts as the reference code has: gortizji/tangent_task_arithmetic src/datasets/templates.py", () => {
  const counts = Object.fromEntries(Object.entries(knownData).map(([name, { templates }]) => [name, templates.length]));
  expect(counts).toEqual({
    imagenet: 80,
    cifar10: 18,
    cifar100: 18,
    sun397: 2,
    stl10: 2,
    cars: 8,
    dtd: 8,
    eurosat: 3,
    food101: 1,
    gtsrb: 3,
    mnist: 1,
    svhn: 1,
    pets: 1,
    resisc45: 18,
  });
  for (const { templates } of Object.values(knownData)) {
    expect(new Set(templates).size).toBe(templates.length);
    for (const template of templates) expect(template).toMatch(/^[^{}A-Z]*\{\}[^{}A-Z]*$/);
  }
  expect(knownData.sun397.templates).toEqual(["a photo of a {}.", "a photo of the {}."]);
});

test("a data set is known by its class names, however they are written", () => {
  expect(recognize(imagenetNames)).toBe("imagenet");
  expect(recognize(["Airplane", "automobile", ..."abcdefg", "frog"])).toBe("cifar10");
  expect(recognize(["aquarium_fish", "maple_tree", "worm", ...Array.from({ length: 97 }, (_, i) => `${i}`)])).toBe(
    "cifar100",
  );
  expect(recognize(["airplane", "automobile", "frog"])).toBeUndefined();
  expect(recognize([..."0123456789"])).toBe("mnist");
  expect(recognize(["red circle", "blue star"])).toBeUndefined();
});

test("ImageNet: 1,000 ids in order, banana is 954, WordNet's own names are replaced", () => {
  expect([imagenetIds.length, imagenetNames.length, imagenetNames[954], imagenetIds[954]]).toEqual([
    1000,
    1000,
    "banana",
    "n07753592",
  ]);
  expect([...imagenetIds].sort()).toEqual(imagenetIds);
  const wordnet = imagenetNames.map((name, i) =>
    i === 0 ? "tench, Tinca tinca" : i === 954 ? "banana" : `${name}, x`,
  );
  expect(curated(wordnet)).toBe(imagenetNames);
  expect(curated(["tench", "b"])).toEqual(["tench", "b"]);
});
