import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writePico } from "../../../test/pico.ts";
import { runJob } from "../run-job.ts";
import { scanCalibrate } from "./job.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-calibrate-"));
  await writePico(join(folder, "pico"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Three clean and three backdoored models in each of two lineages, but for what `change` makes of the lines. */
const lines = (change: (line: string, i: number) => string = (line) => line) =>
  ["a", "b"]
    .flatMap((lineage) => ["clean", "backdoored"].flatMap((label) => [1, 2, 3].map(() => `{ model: ${folder}/pico, label: ${label}, lineage: ${lineage} }`))) // biome-ignore format: one line
    .map(change);

it.each<[string, (line: string, i: number) => string, string]>([
  ["a model that is not there", (line, i) => (i === 11 ? line.replace("pico", "gone") : line), "gone"],
  [
    "a scan that is not there",
    (line, i) => (i === 11 ? line.replace(/model: \S+,/, "scan: gone.json,") : line),
    "there is no file gone.json",
  ],
  ["one lineage", (line) => line.replace("lineage: b", "lineage: a"), "each half of the lineages"],
  ["both a model and a scan", (line) => line.replace("label", "scan: x.json, label"), "either model or scan"],
])("refused before anything is scanned: %s", async (_, change, why) => {
  const list = join(folder, "models.yaml");
  await writeFile(list, `models:\n${lines(change).map((line) => `  - ${line}\n`).join("")}`); // biome-ignore format: one line
  const stages: string[] = [];
  const progress = { stage: (what: string) => void stages.push(what), step: () => {} };
  const asked = { models: list, data: "shapes", out: join(folder, "calibration.json"), threads: 1 };
  await expect(runJob(scanCalibrate, asked, { progress })).rejects.toThrow(why);
  expect(stages).toEqual([]);
});
