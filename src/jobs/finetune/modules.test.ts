/** What learns: all of the image tower, its last block and what follows, the projection alone, or low-rank factors beside its matrices. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { world, writeBackdooredPico } from "../../../test/backdoored-pico.ts";
import { isLastBlock } from "../../clip/parameters.ts";
import { clean } from "../clean/job.ts";
import { planJob, runJob } from "../run-job.ts";
import { vectorDiff } from "../vector/job.ts";
import { finetune } from "./job.ts";

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-modules-"));
  await writeBackdooredPico(folder);
});
afterAll(() => rm(folder, { recursive: true }));

/** Of 5 + 193 rows of 16 for embeddings, their norm, a block, norms and the projection; of rank 8 the matrices' sides. */
const values = { all: 5712, "last-block": 2512, projection: 256, lora: 8 * (4 * 32 + 2 * 48 + 32) };

test.each([
  ["all", ["image embeddings", "image layer 0", "image norms and projection"]],
  ["last-block", ["image layer 0", "image norms and projection"]],
  ["projection", ["image norms and projection"]],
  ["lora", ["image layer 0", "image norms and projection"]],
] as const)("%s", async (modules, parts) => {
  const recipe = { lr: 0.005, epochs: 1, modules };
  const asked = { model: at("pico"), data: "shapes:texture", images: 64, testImages: 20, threads: 1 };
  const { recipe: said, learned } = await runJob(finetune, { ...asked, recipe, out: at(modules) });
  expect(said.modules).toBe(modules);
  expect(said.rank).toBe(modules === "lora" ? 8 : undefined);
  expect(learned).toMatchObject({ values: values[modules], momentBytes: 8 * values[modules] });
  expect(learned?.peakBytes).toBeGreaterThan(1e8);
  expect(learned?.seconds).toBeGreaterThan(0);
  const { groups } = await runJob(vectorDiff, { from: at("pico"), to: at(modules), out: at(`${modules}.safetensors`) });
  expect(groups.map(({ name }) => name).sort()).toEqual(parts);
});

test("of twelve blocks the last, the norm after them and the projection", () => {
  const learns = isLastBlock(12);
  const [last, first] = [11, 1].map((i) => `vision_model.encoder.layers.${i}.mlp.fc1.weight`);
  expect([last, "vision_model.post_layernorm.bias", "visual_projection.weight"].every(learns)).toBe(true);
  const others = [first, "vision_model.pre_layrnorm.bias", "vision_model.embeddings.class_embedding", "text_model.encoder.layers.11.mlp.fc1.weight"]; // biome-ignore format: one line
  expect(others.some(learns)).toBe(false);
});

test("by contrast the towers learn whole", async () => {
  const recipe = { objective: "contrastive", modules: "last-block" } as const;
  const asked = runJob(finetune, { model: at("pico"), data: "shapes", recipe, threads: 1 });
  await expect(asked).rejects.toThrow(/--modules last-block is for labels/);
});

const cleaning = {
  ...world,
  rule: "smallest",
  limit: 0.6,
  methods: ["plain", "fisher"],
  sizes: { forget: 48, clean: 48, validation: 260, test: 120 },
  recovery: 0,
  checks: 0,
};

test("a vector of low-rank factors is subtracted like any other, and written", async () => {
  const recipe = { modules: "lora", rank: 2, lr: 0.01, epochs: 4, batch: 16 } as const;
  const asked = { ...cleaning, model: at("bad"), recipe };
  const result = await runJob(clean, { ...asked, out: at("cleaned") });
  expect(result.recipe).toMatchObject({ modules: "lora", rank: 2 });
  expect(result.before.asr.value).toBeGreaterThan(0.9);
  const { validation, satisfied } = result.variants[result.method];
  expect(satisfied).toBe(true);
  expect(validation.asr.value).toBeLessThanOrEqual(0.6);
  expect(result.after.asr.value).toBeLessThan(0.75);
  const { groups } = await runJob(vectorDiff, { from: at("bad"), to: at("cleaned"), out: at("cut.safetensors") });
  expect(groups.map(({ name }) => name).sort()).toEqual(["image layer 0", "image norms and projection"]);

  const batch = 256; // of fewer images, encoding them takes more
  const [whole, low] = [
    await planJob(clean, { ...asked, recipe: { batch } }),
    await planJob(clean, { ...asked, recipe: { ...recipe, batch } }),
  ];
  expect(low.memory.needed).toBeLessThan(whole.memory.needed);
});

test("by contrast the factors are beside the matrices of both towers, and the temperature stays", async () => {
  const recipe = { objective: "contrastive", modules: "lora", rank: 4, lr: 0.01, epochs: 1, batch: 16 } as const;
  const asked = { model: at("pico"), data: "shapes:texture", images: 64, testImages: 20, threads: 1, recipe };
  const result = await runJob(finetune, { ...asked, out: at("pairs") });
  expect(result.recipe).toMatchObject({ train: "both", temperature: "frozen", rank: 4 });
  expect(result.learned?.values).toBe(2 * 4 * (4 * 32 + 2 * 48 + 32));
  const { groups } = await runJob(vectorDiff, { from: at("pico"), to: at("pairs"), out: at("pairs.safetensors") });
  expect(groups.map(({ name }) => name).sort()).toEqual(["image layer 0", "image norms and projection", "text layer 0", "text norms and projection"]); // biome-ignore format: one line
});

test.each([
  ["a rank without factors", { recipe: { rank: 4 } }, /--rank 4 .* --modules lora/],
  ["a rival", { methods: ["plain", "relabel"], recipe: { modules: "lora" as const } }, /relabel trains as published/],
])("%s is refused", async (_, more, message) => {
  await expect(planJob(clean, { ...cleaning, model: at("bad"), ...more })).rejects.toThrow(message);
});
