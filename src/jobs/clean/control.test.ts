import { beforeAll, expect, test } from "vitest";
import { backdooredFolder, world } from "../../../test/backdoored-pico.ts";
import { evaluation } from "../eval/job.ts";
import { finetune } from "../finetune/job.ts";
import { runJob } from "../run-job.ts";
import { clean } from "./job.ts";

const at = backdooredFolder();
const cleaning = {
  ...world,
  recipe: { lr: 1e-3, epochs: 2, batch: 16 },
  sizes: { forget: 48, clean: 48, validation: 240, test: 240 },
  ...{ methods: ["plain"], recovery: 0, checks: 0, rule: "difference" as const },
};

beforeAll(async () => {
  const recipe = { lr: 3e-3, epochs: 6, batch: 16 };
  await runJob(finetune, { ...world, model: at("pico"), out: at("good"), images: 800, testImages: 120, recipe });
}, 60_000);

test("what a clean control model reads is what eval says of it, and the verdict goes by it", async () => {
  const asked = { ...cleaning, model: at("bad"), cleanControl: at("good") };
  const { proof, verdict } = await runJob(clean, asked);
  const alone = await runJob(evaluation, { ...world, model: at("good"), trigger: at("bad"), testImages: 240 });
  expect(proof.floor).toEqual(alone.asr);
  const { ca, asr, triggeredAccuracy, sha256 } = proof.control!;
  expect({ asr, triggeredAccuracy }).toEqual({ asr: alone.asr, triggeredAccuracy: alone.triggeredAccuracy });
  expect(ca.n).toBe(asr.n); // the same images
  expect(ca.value).toBeCloseTo(alone.ca.value, 1);
  expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  const { triggered } = verdict.limits!;
  expect(triggered).toBeCloseTo(0.5 * Math.min(1, triggeredAccuracy.value / ca.value), 12);
  expect(triggered).toBeLessThan(0.5);
  expect(verdict.notes?.[0]).toMatch(/\(of a clean control model [\d.]+ % and [\d.]+ %\)$/);
}, 60_000);

test("without one there is nothing to compare with", async () => {
  const { proof, verdict } = await runJob(clean, { ...cleaning, model: at("bad") });
  expect(proof).toEqual({ shifted: [] });
  expect(verdict.notes?.[0]).toMatch(/without it [\d.]+ %$/);
}, 60_000);

test("one that is not there is refused before anything is trained", async () => {
  const asked = { ...cleaning, model: at("bad"), cleanControl: at("nowhere") };
  await expect(runJob(clean, asked)).rejects.toThrow("nowhere");
});
