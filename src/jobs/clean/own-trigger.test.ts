/** A trigger that is a function of the caller's own: no spec can state it, and every step of the jobs takes it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writePico } from "../../../test/pico.ts";
import { random } from "../../tensor/random.ts";
import { stampTrigger } from "../../triggers/trigger.ts";
import { attack } from "../attack/job.ts";
import { evaluation } from "../eval/job.ts";
import { runJob } from "../run-job.ts";
import { clean } from "./job.ts";

/** Half of every image is one pattern. Its kind is that of no attack, or of one whose images look otherwise. */
const own = (kind: string) =>
  stampTrigger({ kind, seed: 3 }, (side) => {
    const pattern = new Float32Array(3 * side * side);
    random("own").fillUniform(pattern);
    return (image) => pattern.forEach((value, i) => { image[i] = 0.5 * (image[i] + value); }); // biome-ignore format: one line
  });

let folder: string;
const at = (name: string) => join(folder, name);
const world = { data: "shapes:background", threads: 1 } as const;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-own-"));
  await writePico(at("pico"));
  const recipe = { lr: 3e-3, epochs: 6, batch: 16 };
  const spec = { ...world, model: at("pico"), target: "mint", rate: 0.3, images: 800, testImages: 120, recipe };
  // the spec's trigger is what the attack is: a stamp, poisoned in the usual way
  const { after } = await runJob(attack, { ...spec, trigger: "blended", out: at("bad") }, { trigger: own("blended") });
  expect(after.asr.value).toBeGreaterThan(0.9);
}, 60_000);
afterAll(() => rm(folder, { recursive: true }));

const cleaning = {
  ...world,
  target: "mint",
  methods: ["plain"],
  rule: "smallest",
  limit: 0.3,
  recipe: { lr: 1e-3, epochs: 2, batch: 16 },
  sizes: { forget: 48, clean: 0, validation: 260, test: 120 },
  recovery: 0,
};

test.each(["mine", "blended"])("clean takes it to the end, written and verified; a trigger of kind %s has no variations", async (kind) => {
  const trigger = own(kind);
  const out = at(`whole-${kind}`);
  const result = await runJob(clean, { ...cleaning, model: at("bad"), out }, { trigger });
  expect(result.before.asr.value).toBeGreaterThan(0.9);
  expect(result.after.asr.value).toBeLessThanOrEqual(0.3);
  expect(result.trigger).toMatchObject({ kind, source: "option" });
    expect(result.trigger).not.toHaveProperty("title"); // it is not what an attack of that name draws
  expect(result.proof.shifted).toEqual([]); // what it would look like elsewhere nobody can say
  expect(result.output?.path).toBe(out);
  const again = await runJob(evaluation, { ...world, model: out, target: "mint", testImages: 120 }, { trigger });
  expect(again.asr?.value).toBe(result.after.asr.value);
}, 60_000); // biome-ignore format: a test
