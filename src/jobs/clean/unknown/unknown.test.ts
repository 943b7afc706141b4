/** The whole of a cleaning without knowledge of the attack, on a model so small that it takes seconds. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writePico } from "../../../../test/pico.ts";

import { attack } from "../../attack/job.ts";
import { runJob } from "../../run-job.ts";

import { clean } from "../job.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const world = { data: "shapes:background", threads: 1 } as const;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-unknown-"));
  await writePico(at("pico"));
  const recipe = { lr: 3e-3, epochs: 6, batch: 16 };
  const spec = { ...world, target: "mint", rate: 0.3, images: 800, testImages: 120, recipe };
  await runJob(attack, { ...spec, model: at("pico"), trigger: "blended:ratio=0.4", out: at("bad") });
}, 60_000);
afterAll(() => rm(folder, { recursive: true }));

const cleaning = {
  ...world,
  unknown: true,
  methods: ["plain", "relabel"],
  recipe: { lr: 1e-3, epochs: 2, batch: 16 },
  sizes: { forget: 64, clean: 0, validation: 200, test: 200 },
  recovery: 0,
  rounds: 1,
};

test("scan, proxies, cleaning, scan again: written with its vector, the truth measured apart", async () => {
  const out = at("cleaned");
  const result = await runJob(clean, { ...cleaning, model: at("bad"), suspect: "mint", out });
  console.log(
    JSON.stringify({
      ...result,
      scan: undefined,
      examples: undefined,
      triggerPicture: undefined,
      trigger: undefined,
      variants: undefined,
    }),
  );
  expect(result.scan?.detectors.length).toBeGreaterThan(0);
  expect(result.rounds).toHaveLength(1);
  expect(result.rounds?.[0].target).toBe("mint");
  expect(result.rounds?.[0].proxyAsr.before.value).toBeGreaterThan(0.5);
  expect(result.truth?.trigger.kind).toBe("blended");
}, 120_000);
