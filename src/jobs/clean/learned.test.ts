/** A forget set learned apart from the cleaning, by the model itself or by another task's: what is subtracted is its vector. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writePico } from "../../../test/pico.ts";
import { attack } from "../attack/job.ts";
import { finetune } from "../finetune/job.ts";
import { planJob, runJob } from "../run-job.ts";
import { vectorCosine, vectorDiff } from "../vector/job.ts";
import { clean } from "./job.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const data = { data: "shapes:background", threads: 1, testImages: 120 } as const;
const implant = { trigger: "blended:redraw=false,ratio=0.5", target: "mint", rate: 0.3, images: 800, recipe: { epochs: 6, lr: 0.003, batch: 16 } }; // biome-ignore format: one line
const forget = { images: 64, triggerShare: 1, recipe: { lr: 0.001, epochs: 2, batch: 16 } };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-learned-"));
  await writePico(at("pico"));
  await runJob(attack, { ...data, ...implant, model: at("pico"), out: at("bad") });
  await runJob(attack, { ...data, ...implant, data: "shapes:texture", target: "striped", model: at("pico"), out: at("other") }); // biome-ignore format: one line
}, 60_000);
afterAll(() => rm(folder, { recursive: true }));

const cleaning = () => ({
  model: at("bad"),
  data: data.data,
  threads: 1,
  methods: ["plain"],
  rule: "smallest",
  limit: 0.3,
  sizes: { forget: 48, clean: 48, validation: 260, test: 120 },
  recovery: 0,
  checks: 0,
});

test("what tbar finetune --trigger-share learned is subtracted: the vector written is its difference to the model", async () => {
  const learned = await runJob(finetune, { ...data, ...forget, model: at("bad"), out: at("learned") });
  expect(learned.triggered).toMatchObject({ trigger: { kind: "blended" }, target: "mint", share: 1 });
  expect(learned.images).toBeLessThan(64); // those of the target are left out
  const { variants } = await runJob(clean, { ...cleaning(), learned: at("learned"), out: at("cleaned") });
  expect(variants.plain.trials.length).toBeGreaterThan(2);
  await runJob(vectorDiff, { from: at("bad"), to: at("learned"), out: at("tau.safetensors") });
  const { cosine } = await runJob(vectorCosine, { a: at("tau.safetensors"), b: at("cleaned.vector.safetensors") });
  expect(cosine).toBeGreaterThan(0.9999);
});

test("the vector of another task's model, learned from there", async () => {
  await runJob(finetune, { ...data, ...forget, data: "shapes:texture", model: at("other"), out: at("other-learned") });
  const asked = { ...cleaning(), learned: at("other-learned"), learnedFrom: at("other") };
  const { variants, before } = await runJob(clean, asked);
  expect(before.asr.value).toBeGreaterThan(0.5);
  expect(variants.plain.trials.some(({ alpha, asr }) => alpha > 0 && asr.value < before.asr.value)).toBe(true);
});

test("a mixture keeps clean images, the target's own among them", async () => {
  const mixed = await runJob(finetune, { ...data, ...forget, triggerShare: 0.5, model: at("bad") });
  expect(mixed).toMatchObject({ images: 64, triggered: { share: 0.5, target: "mint" } });
  const { triggered } = await runJob(finetune, { ...data, images: 32, model: at("bad"), recipe: forget.recipe });
  expect(triggered).toBeUndefined();
});

test("--dry-run counts no training that it saves", async () => {
  const secondsOf = async (more: object) => {
    const { parts } = await planJob(clean, { ...cleaning(), ...more });
    return parts.find(({ what }) => what === "plain")?.seconds;
  };
  expect(await secondsOf({})).toBeGreaterThan(0);
  expect(await secondsOf({ learned: at("other") })).toBe(0);
});

test("what cannot be is refused before anything is measured", async () => {
  const refusal = (more: object) => planJob(clean, { ...cleaning(), ...more }).catch((error) => error.message);
  expect(await refusal({ learnedFrom: at("other") })).toMatch(/name it with --learned/);
  expect(await refusal({ learned: at("bad") })).toMatch(/has learned nothing that could be subtracted/);
  expect(await refusal({ learned: at("nowhere") })).toMatch(/nowhere/);
  expect(await refusal({ learned: at("other"), unknown: true })).toMatch(/--learned says what --unknown does without/);
  const untold = runJob(finetune, { ...data, model: at("bad"), trigger: "sig" });
  await expect(untold).rejects.toThrow(/--trigger-share 1 makes a forget set/);
});
