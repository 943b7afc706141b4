/** A scan that goes no further than it must. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writePico } from "../../../test/pico.ts";
import type { ScanCalibration } from "../../results/scan-calibration.ts";
import { runJob } from "../run-job.ts";
import { scanCalibrate } from "../scan-calibrate/job.ts";
import { scan } from "./job.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-stop-early-"));
  await writePico(join(folder, "pico"));
});
afterAll(() => rm(folder, { recursive: true }));

const detectors = ["fitted-delta", "sine", "weight-statistics"];
const sizes = { fit: 16, held: 32 };

/** A scan under a calibration of the pico model's own, by which these features weigh and this probability is enough. */
async function scanned(features: readonly string[], threshold: number, stopEarly: boolean, state?: string) {
  const model = join(folder, "pico");
  const asked = { model, data: "shapes:background", detectors, sizes, threads: 1, stopEarly };
  const { model: facts, data } = await runJob(scan, { ...asked, detectors: ["weight-statistics"], stopEarly: false });
  const shipped = JSON.parse(await readFile("data/scan-calibration.json", "utf8")) as ScanCalibration;
  const own: ScanCalibration = {
    ...shipped,
    ...{ family: facts.architecture, images: sizes, classes: data.classes, mostShare: 1, leastAccuracy: 0 },
    ...{ features: features.map((name) => ({ name, mean: -20, deviation: 1 })), intercept: 0, slope: 1 },
    ...{ threshold, doubtful: threshold / 2 },
  };
  const calibration = join(folder, "calibration.json");
  await writeFile(calibration, JSON.stringify(own));
  const result = await runJob(scan, { ...asked, calibration, ...(state !== undefined && { state }) });
  return { result, ran: result.detectors.map(({ name }) => name) };
}

it("settled after the first detector: the others do not run, which is said, and the verdict is that of the whole scan", async () => {
  const [early, whole] = [
    await scanned(["fitted-delta", "sine"], 0.5, true),
    await scanned(["fitted-delta", "sine"], 0.5, false),
  ];
  expect(early.ran).toEqual(["fitted-delta"]);
  expect(early.result.leftOut).toEqual(["sine", "weight-statistics"]);
  expect(early.result.because.join()).toContain(
    "stopped after fitted-delta: what did not run (sine, weight-statistics)",
  );
  expect(whole.ran).toEqual(detectors);
  expect(whole.result).not.toHaveProperty("leftOut");
  expect([early, whole].map(({ result }) => result.verdict)).toEqual(["backdoored", "backdoored"]);
  const [low, high] = [early, whole].map(({ result }) => result.probability as number);
  expect(low).toBeLessThanOrEqual(high);
});

it("a calibration takes no scan that was stopped early", async () => {
  const { result } = await scanned(["fitted-delta", "sine"], 0.5, true);
  await writeFile(join(folder, "early.json"), JSON.stringify(result));
  const kinds = ["a", "b"].flatMap((lineage) => ["clean", "backdoored"].flatMap((label) => Array(3).fill({ scan: "early.json", label, lineage }))); // biome-ignore format: one line
  const list = join(folder, "models.yaml");
  await writeFile(list, JSON.stringify({ models: kinds }));
  const asked = { models: list, data: "shapes:background", out: join(folder, "own.json"), threads: 1 };
  await expect(runJob(scanCalibrate, asked)).rejects.toThrow(
    "was scanned with --stop-early, and sine, weight-statistics did not run",
  );
});

it("stopped early it leaves no work in progress behind", async () => {
  const state = join(folder, "state");
  const { result } = await scanned(["fitted-delta", "sine"], 0.5, true, state);
  expect(result.leftOut).toEqual(["sine", "weight-statistics"]);
  expect(await readdir(folder)).not.toContain("state");
});

it("not settled, or weighed by nothing that ran: every detector runs", async () => {
  const { result, ran } = await scanned(["fitted-delta", "sine"], 1.1, true);
  expect([ran, result.verdict, result.leftOut]).toEqual([detectors, "inconclusive", undefined]);
  const odd = await scanned(["fitted-patch"], 0.5, true); // not among those asked for
  expect([odd.ran, odd.result.verdict]).toEqual([detectors, "inconclusive"]);
  expect(odd.result.because[0]).toMatch(/weighs detectors that were not run: fitted-patch/);
});
