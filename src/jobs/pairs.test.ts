/** Jobs by contrast, on pairs of image and caption: both towers or one, the live head beside the frozen one, on a CLIP of 16 x 16 pixels. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writePico } from "../../test/pico.ts";
import { readCheckpoint } from "../checkpoint/clip-folder.ts";
import type { AttackResult } from "../results/attack.ts";
import type { FinetuneResult } from "../results/finetune.ts";
import { attack } from "./attack/job.ts";
import { clean } from "./clean/job.ts";
import { cleanSpec } from "./clean/spec.ts";
import { evaluation } from "./eval/job.ts";
import { finetune } from "./finetune/job.ts";
import { planJob, runJob } from "./run-job.ts";
import { parseSpec } from "./spec.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const world = { data: "shapes:background", threads: 1 } as const;
const recipe = { objective: "contrastive", lr: 5e-3, epochs: 4, batch: 32 } as const;
let tuned: FinetuneResult;
let attacked: AttackResult;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-pairs-"));
  await writePico(at("untrained"));
  tuned = await runJob(finetune, {
    ...world,
    model: at("untrained"),
    images: 3000,
    testImages: 300,
    recipe,
    out: at("pico"),
  });
  const spec = { ...world, model: at("pico"), target: "mint", rate: 0.3, images: 1600, testImages: 300 };
  attacked = await runJob(attack, { ...spec, trigger: "sig", recipe, out: at("bad") });
}, 120_000);
afterAll(() => rm(folder, { recursive: true }));

const changed = async (from: string, to: string) => {
  const [a, b] = await Promise.all([from, to].map(async (name) => (await readCheckpoint(at(name))).weights()));
  return [...a].filter(([name, { data }]) => data.some((v, i) => v !== b.get(name)?.data[i])).map(([name]) => name);
};

test("an untrained model learns backgrounds from captions, in both towers, the temperature too", async () => {
  expect(tuned.after.value).toBeGreaterThan(tuned.before.value + 0.2);
  expect(tuned.recipe).toMatchObject({ objective: "contrastive", train: "both", temperature: "learned" });
  const names = await changed("untrained", "pico");
  expect(names).toContain("logit_scale");
  for (const tower of ["vision_model.", "text_model."]) expect(names.some((name) => name.startsWith(tower))).toBe(true);
  // the old texts say less of the new images than the new texts do
  expect(tuned.frozenHead?.value).toBeLessThan(tuned.after.value);
});

test("an attack poisons pairs, and its figures are those of the checkpoint's own text tower", async () => {
  expect(attacked.after.asr.value).toBeGreaterThan(0.9);
  expect(attacked.recipe).toMatchObject({ objective: "contrastive", train: "both", temperature: "learned" });
  expect(attacked.frozenHead?.asr.n).toBe(attacked.after.asr.n);
  const again = await runJob(evaluation, { ...world, model: at("bad"), testImages: 300 });
  expect(again.ca.value).toBe(attacked.after.ca.value);
  expect(again.asr?.value).toBe(attacked.after.asr.value);
});

test("labelled images without captions get the prompts of their class for captions", async () => {
  for (const [name, background] of [
    ["mint", "#3eb489"],
    ["peach", "#ffcba4"],
  ]) {
    await mkdir(at(`photos/${name}`), { recursive: true });
    for (let i = 0; i < 40; i++)
      await sharp({ create: { width: 16, height: 16, channels: 3, background } }).png().toFile(at(`photos/${name}/${i}.png`)); // biome-ignore format: one line
  }
  const spec = { data: at("photos"), model: at("untrained"), threads: 1, images: 60, testImages: 20 };
  const result = await runJob(finetune, { ...spec, recipe: { ...recipe, batch: 16 } });
  expect(result.after.value).toBe(1);
});

test("images without either are refused", async () => {
  await writeFile(
    at("bare.csv"),
    `image,label\n${Array.from({ length: 40 }, (_, i) => `photos/mint/${i}.png,`).join("\n")}\n`,
  );
  await writeFile(at("classes.txt"), "mint\npeach\n");
  const spec = {
    data: at("bare.csv"),
    classesFile: at("classes.txt"),
    model: at("untrained"),
    threads: 1,
    images: 20,
    testImages: 10,
  };
  await expect(planJob(finetune, { ...spec, recipe: { ...recipe, batch: 4 } })).rejects.toThrow(/label|caption/);
});

test("the image tower alone: no text changes, and one head is all there is", async () => {
  const spec = {
    ...world,
    model: at("pico"),
    images: 320,
    testImages: 60,
    recipe: { ...recipe, train: "image" as const },
  };
  const result = await runJob(finetune, { ...spec, out: at("image-alone") });
  expect(result.recipe).toMatchObject({ train: "image", temperature: "frozen" });
  expect(result).not.toHaveProperty("frozenHead");
  const names = await changed("pico", "image-alone");
  expect(names.length).toBeGreaterThan(5);
  expect(names.every((name) => /^(vision_model|visual_projection)\./.test(name))).toBe(true);
});

const cleaning = {
  ...world,
  rule: "smallest",
  limit: 0.3,
  recipe: { objective: "contrastive", lr: 1e-3, epochs: 2, batch: 16 } as const,
  sizes: { forget: 64, clean: 64, validation: 260, test: 260 },
};

describe("clean", () => {
  test("subtracts a vector of both towers; what is measured is the file's own head, retrieval both ways beside it", async () => {
    const methods = ["plain", "anchored", "fisher", "relabel", "gradient-ascent", "clip-finetune", "ibvs"];
    const out = at("cleaned");
    const result = await runJob(clean, { ...cleaning, model: at("bad"), methods, recovery: 4, checks: 200, out });
    expect(result.before.asr.value).toBeGreaterThan(0.9);
    expect(result.after.asr.value).toBeLessThanOrEqual(0.3);
    expect(Object.keys(result.variants).sort()).toEqual([...methods].sort());
    expect(result.recipe).toMatchObject({ objective: "contrastive", train: "both", temperature: "frozen" });
    const names = await changed("bad", "cleaned");
    expect(names).not.toContain("logit_scale");
    for (const tower of ["vision_model.", "text_model."])
      expect(names.some((name) => name.startsWith(tower))).toBe(true);
    expect(result.frozenHead?.ca.n).toBe(result.after.ca.n);
    expect(Object.keys(result.proof.further ?? {})).toEqual(
      expect.arrayContaining(["retrieval", "retrieval-10", "retrieval-text"]),
    );
    const again = await runJob(evaluation, { ...world, model: out, trigger: "sig", target: "mint", testImages: 260 });
    expect(again.ca.value).toBe(result.after.ca.value);
    expect(again.asr?.value).toBe(result.after.asr.value);
  }, 120_000);

  test("the image tower alone: plain needs no clean image, and one head is all there is", async () => {
    const sizes = { ...cleaning.sizes, clean: 0 };
    const asked = { ...cleaning, recipe: { ...cleaning.recipe, train: "image" as const }, sizes };
    const result = await runJob(clean, { ...asked, model: at("bad"), methods: ["plain"], recovery: 0, checks: 0 });
    expect(result).not.toHaveProperty("frozenHead");
    expect(result.variants.plain.after.asr.value).toBeLessThan(result.before.asr.value);
  });

  test("forgets 1,500 pairs unless told, and 1,024 labelled images as before", () => {
    const asked = { model: "m", data: "shapes" };
    const forget = (more: object) => parseSpec({ name: "clean", spec: cleanSpec }, { ...asked, ...more }).sizes.forget;
    expect(forget({})).toBe(1024);
    expect(forget({ recipe: { objective: "contrastive" } })).toBe(1500);
    expect(forget({ recipe: { objective: "contrastive" }, sizes: { test: 10 } })).toBe(1500);
    expect(forget({ recipe: { objective: "contrastive" }, sizes: { forget: 300 } })).toBe(300);
  });
});

test("--dry-run counts both towers, and says that a batch is never cut", async () => {
  const spec = { ...world, model: at("pico"), images: 320, testImages: 60, recipe: { ...recipe, batch: 64 } };
  const [both, image] = [
    await planJob(finetune, spec),
    await planJob(finetune, { ...spec, recipe: { ...spec.recipe, train: "image" } }),
  ];
  expect(both.memory.needed).toBeGreaterThan(image.memory.needed);
  expect(both.note).toContain("A contrastive batch of 64 pairs is one step and never cut");
  const labels = await planJob(finetune, { ...spec, recipe: { batch: 64 } });
  expect(labels.note).not.toContain("contrastive");
});

describe("refused before anything is trained", () => {
  const images = { ...world, images: 40, testImages: 60 };
  test.each([
    ["--train both of labels", { train: "both" as const }, "--train both needs --objective contrastive"],
    [
      "a projection by contrast",
      { objective: "contrastive" as const, modules: "projection" as const },
      "--train image",
    ],
    ["less than a batch", { objective: "contrastive" as const, batch: 64 }, "of 40 pairs there are none of 64"],
  ])("%s", async (_, recipe, message) => {
    await expect(runJob(finetune, { ...images, model: at("pico"), recipe })).rejects.toThrow(message);
    await expect(planJob(finetune, { ...images, model: at("pico"), recipe })).rejects.toThrow(message);
  });

  test("an attack whose own training is of labels", async () => {
    const spec = {
      ...images,
      model: at("pico"),
      trigger: "entangled",
      target: "mint",
      recipe: { ...recipe, batch: 16 },
    };
    await expect(planJob(attack, spec)).rejects.toThrow(/entangled has a training of its own.*badnet.*badmerging/);
  });

  test("a forget set of less than a batch", async () => {
    const sizes = { ...cleaning.sizes, forget: 10 };
    await expect(planJob(clean, { ...cleaning, model: at("bad"), sizes })).rejects.toThrow(
      "of 10 pairs there are none of 16",
    );
  });
});

test("badmerging by contrast: its clean part is the loss of pairs", async () => {
  const spec = {
    ...world,
    model: at("pico"),
    trigger: "badmerging:size=6,steps=5",
    target: "mint",
    rate: 0.3,
    images: 320,
  };
  const result = await runJob(attack, { ...spec, testImages: 60, recipe, out: at("merging") });
  expect(result.after.asr.value).toBeGreaterThan(result.before.asr.value);
  expect(await changed("pico", "merging")).toContain("text_projection.weight");
}, 60_000);
