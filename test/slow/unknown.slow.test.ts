/** The shipped backdoored model, cleaned without knowledge of its attack; the shipped clean one is left alone. Minutes. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clean } from "../../src/jobs/clean/job.ts";
import { runJob } from "../../src/jobs/run-job.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-unknown-"));
});
afterAll(() => rm(folder, { recursive: true }));

const asked = { data: "shapes", unknown: true, recovery: 0, sizes: { test: 1000 } };

test("shapes-badnet: the target is found, the true trigger gone afterwards, the model whole", async () => {
  const result = await runJob(clean, { ...asked, model: "shapes-badnet", out: join(folder, "cleaned") });
  expect(result.scan?.verdict).toBe("backdoored");
  expect(result.rounds?.[0].target).toBe("blue star");
  expect(result.rounds?.at(-1)?.rescan.verdict).not.toBe("backdoored");
  expect(result.truth?.asr.before.value).toBeGreaterThan(0.9);
  expect(result.truth?.asr.after.value).toBeLessThanOrEqual(0.05);
  expect(result.retention).toBeGreaterThanOrEqual(0.93);
}, 3_600_000);

test("shapes: no evidence or inconclusive, and nothing is written", async () => {
  const out = join(folder, "none");
  await expect(runJob(clean, { ...asked, model: "shapes", out })).rejects.toThrow(/^(no evidence|inconclusive)/);
  expect((await readdir(folder)).filter((name) => name.startsWith("none"))).toEqual([]);
}, 3_600_000);
