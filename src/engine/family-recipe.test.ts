import { expect, test } from "vitest";
import { configFromHf } from "../checkpoint/config/hf-config.ts";
import {
  contrastiveRecipes,
  defaultsText,
  families,
  familyOf,
  recipes,
  resolveRecipe,
  trainings,
} from "./family-recipe.ts";

const vit = (width: number) => ({ vision: { ...configFromHf({ model_type: "clip", text_config: {}, vision_config: {} }).vision, width } }) as Parameters<typeof familyOf>[0]; // biome-ignore format: one line
const resnet = { vision: { kind: "resnet" } } as Parameters<typeof familyOf>[0];

test.each([
  [128, "small"],
  [511, "small"],
  [512, "ViT-B"],
  [768, "ViT-B"],
  [1023, "ViT-B"],
  [1024, "ViT-L"],
  [1280, "ViT-L"],
])("a ViT of width %i is %s", (width, family) => {
  expect(familyOf(vit(width))).toBe(family);
});

test("a ResNet is one whatever its width", () => {
  expect(familyOf(resnet)).toBe("ResNet");
});

test("every training has a row with a reason for every family, and a larger model learns no faster", () => {
  for (const training of trainings) {
    for (const family of families) expect(recipes[training][family].reason.length).toBeGreaterThan(20);
    const { small, "ViT-B": base, "ViT-L": large } = recipes[training];
    expect(small.lr).toBeGreaterThan(base.lr);
    expect(base.lr).toBeGreaterThan(large.lr);
    expect(base.batch).toBeGreaterThan(large.batch);
  }
});

test("by contrast: rows of their own, towers and temperature said", () => {
  for (const training of trainings)
    for (const family of families) expect(contrastiveRecipes[training][family].batch).toBeGreaterThanOrEqual(64);
  const asked = { seed: 3, objective: "contrastive" as const };
  const attack = resolveRecipe("attack", vit(768), asked);
  expect(attack.recipe).toMatchObject({ lr: 1e-6, epochs: 10, batch: 128, train: "both", temperature: "learned" });
  expect(attack.defaults?.reason).toContain("2311.12075");
  expect(resolveRecipe("clean", vit(768), asked).recipe).toMatchObject({ train: "both", temperature: "frozen" });
  const alone = resolveRecipe("attack", vit(768), { ...asked, train: "image" });
  expect(alone.recipe).toMatchObject({ train: "image", temperature: "frozen" });
  expect(resolveRecipe("attack", vit(768), { seed: 3 }).recipe).not.toHaveProperty("train");
});

test("given options win, the rest comes from the family, and it is said which", () => {
  const { recipe, defaults } = resolveRecipe("clean", vit(768), { seed: 3, lr: 2e-6, batch: undefined });
  expect(recipe).toEqual({ lr: 2e-6, epochs: 1, batch: 16, warmup: 0.1, weightDecay: 0, clip: 1, seed: 3 });
  expect(defaults).toMatchObject({ family: "ViT-B", settings: { epochs: 1, batch: 16 } });
  expect(defaultsText(defaults!)).toMatch(/^Recipe for a ViT-B: epochs 1, batch 16 \(as in our full run/);
});

test("nothing is said where all was given", () => {
  expect(resolveRecipe("attack", resnet, { seed: 1, lr: 1, epochs: 2, batch: 3 }).defaults).toBeUndefined();
});

test("the embedded model keeps the settings that its figures were made with", () => {
  expect(resolveRecipe("clean", vit(128), { seed: 1 }).recipe).toMatchObject({ lr: 3e-5, epochs: 6, batch: 64 });
  expect(resolveRecipe("attack", vit(128), { seed: 1 }).recipe).toMatchObject({ lr: 5e-4, epochs: 4, batch: 64 });
  expect(defaultsText(resolveRecipe("attack", vit(128), { seed: 1 }).defaults!)).toContain(
    "small model: lr 5e-4, epochs 4, batch 64",
  );
});
