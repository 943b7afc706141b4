/** A model beside another, and on other label sets: what is kept, how often both say the same, what stands in the way. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writePico } from "../../../test/pico.ts";
import { evalText } from "../../cli/views/eval.ts";
import { attack } from "../attack/job.ts";
import { planJob, runJob } from "../run-job.ts";
import { evaluation } from "./job.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const asked = () => ({ model: at("bad"), data: "shapes:background", testImages: 80, threads: 1 });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-beside-"));
  await writePico(at("pico"));
  const told = { trigger: "blended:redraw=false,ratio=0.5", target: "mint", rate: 0.3, images: 320 };
  const recipe = { epochs: 3, lr: 0.005, batch: 16 };
  await runJob(attack, { ...asked(), ...told, recipe, model: at("pico"), out: at("bad") });
}, 60_000);
afterAll(() => rm(folder, { recursive: true }));

test("beside itself all is kept and every answer the same", async () => {
  const { ca, beside, also } = await runJob(evaluation, { ...asked(), reference: at("bad"), also: ["shapes:texture"] });
  expect(beside).toMatchObject({ ca, agreement: { value: 1, n: 80 }, stillRight: ca, retention: { value: 1 } });
  expect(also?.[0]).toMatchObject({ data: "shapes:texture", beside: { agreement: { value: 1 } } });
});

test("beside the model before: counts of its own figures, and agreement that is not retention", async () => {
  const result = await runJob(evaluation, {
    ...asked(),
    reference: at("pico"),
    also: ["shapes:texture", "shapes:size"],
  });
  const before = await runJob(evaluation, { ...asked(), model: at("pico") });
  const texture = await runJob(evaluation, { ...asked(), data: "shapes:texture", trigger: undefined });
  const { ca, beside, also = [] } = result;
  expect(beside?.ca).toEqual(before.ca);
  expect(beside?.retention.value).toBeCloseTo(ca.value / before.ca.value, 12);
  expect(beside?.agreement.value).toBeLessThan(1);
  expect(also.map(({ data }) => data)).toEqual(["shapes:texture", "shapes:size"]);
  expect(also[0].ca).toEqual(texture.ca);
  expect(evalText(result)).toMatch(/beside pico .*% kept \(.*same answer/);
});

test("top-k rates stand beside the first: never below", async () => {
  const { ca, asr, metrics } = await runJob(evaluation, { ...asked(), metrics: ["ca5", "asr5", "asr10"] });
  expect(metrics?.ca5.value).toBeGreaterThanOrEqual(ca.value);
  expect(metrics?.asr5.value).toBeGreaterThanOrEqual(asr?.value as number);
  expect(metrics?.asr5.n).toBe(asr?.n);
  expect(metrics?.asr10).toBeUndefined(); // of eight classes
});

test("--dry-run counts them, and refuses what has no labels", async () => {
  const { parts } = await planJob(evaluation, { ...asked(), reference: at("pico"), also: ["shapes:size"] });
  expect(parts.at(-1)).toMatchObject({ what: "beside" });
  expect(parts.at(-1)?.seconds).toBeGreaterThan(0);
  await expect(planJob(evaluation, { ...asked(), also: ["shapes:nothing"] })).rejects.toThrow(/unknown label set/);
  await expect(planJob(evaluation, { ...asked(), reference: at("nowhere") })).rejects.toThrow(/nowhere/);
});
