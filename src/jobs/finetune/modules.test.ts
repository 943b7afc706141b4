/** What learns: all of the image tower, its last block and what follows, or the projection alone. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writePico } from "../../../test/pico.ts";
import { isLastBlock } from "../../clip/parameters.ts";
import { runJob } from "../run-job.ts";
import { vectorDiff } from "../vector/job.ts";
import { finetune } from "./job.ts";

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-modules-"));
  await writePico(at("pico"));
});
afterAll(() => rm(folder, { recursive: true }));

test.each([
  ["all", ["image embeddings", "image layer 0", "image norms and projection"]],
  ["last-block", ["image layer 0", "image norms and projection"]],
  ["projection", ["image norms and projection"]],
] as const)("%s", async (modules, parts) => {
  const recipe = { lr: 0.005, epochs: 1, modules };
  const asked = { model: at("pico"), data: "shapes:texture", images: 64, testImages: 20, threads: 1 };
  const { recipe: said } = await runJob(finetune, { ...asked, recipe, out: at(modules) });
  expect(said.modules).toBe(modules);
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
