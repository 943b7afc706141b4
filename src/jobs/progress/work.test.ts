import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Metric } from "../../engine/scorer.ts";
import { tensor, type Weights } from "../../tensor/tensor.ts";
import { Clock } from "../record/facts.ts";
import { openWork } from "./work.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-work-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const weights: Weights = new Map([["p", tensor([1])]]);
let asked: string[];
const metric: Metric = {
  size: 10,
  async hits(_, from = 0, to = 10) {
    asked.push(`${from}-${to}`);
    return to - from;
  },
};

test("what was counted before a kill is not counted again; weights without a name always are", async () => {
  asked = [];
  for (const named of [true, true, false]) {
    const work = await openWork(folder, "this run", new Clock());
    const hits = work.counted(metric, "ASR", () => (named ? "alpha 1" : undefined));
    expect([await hits.hits(weights, 0, 4), await hits.hits(weights, 4)]).toEqual([4, 6]);
  }
  expect(asked).toEqual(["0-4", "4-10", "0-4", "4-10"]);
});

test.each([
  [
    "a count above its images",
    { counts: { "ASR, alpha 1, images 0 to 4": 5 } },
    /counts 5 of 4 images \(ASR, alpha 1, images 0 to 4\)/,
  ],
  ["half a hit", { counts: { "ASR, alpha 1, images 0 to 4": 0.5 } }, /no work in progress of tbar .*counts/],
  ["hits below none", { counts: { "ASR, alpha 1, images 0 to 4": -1 } }, /no work in progress of tbar .*counts/],
  ["time before its beginning", { timings: [{ what: "tune", seconds: -1 }] }, /timings\.0\.seconds/],
  ["endless time", { timings: [{ what: "tune", seconds: 1e300 }] }, /timings\.0\.seconds/],
  ["what it does not know", { verdict: "proven" }, /no work in progress of tbar/],
])("%s is refused by name", async (_, change, message) => {
  const file = join(folder, "work.json");
  await writeFile(file, JSON.stringify({ recipe: "this run", timings: [], counts: {}, ...change }));
  const counting = async () => {
    const work = await openWork(folder, "this run", new Clock());
    return work.counted(metric, "ASR", () => "alpha 1").hits(weights, 0, 4);
  };
  await expect(counting()).rejects.toMatchObject({ code: "bad-input", message: expect.stringMatching(message) });
  await writeFile(file, '{"recipe": "this run", "counts": {"x": 1, "x": 2}, "timings": []}');
  await expect(counting()).rejects.toThrow(/has the key "x" twice/);
});

test("the clock goes on from the last save: stages add up over the parts of a run", async () => {
  const clock = new Clock();
  clock.stage("tune");
  await openWork(folder, "this run", clock);
  const first = clock.timings()[0].seconds;
  const later = new Clock();
  later.stage("load");
  const work = await openWork(folder, "this run", later);
  const timings = later.timings();
  expect(timings.map(({ what }) => what)).toEqual(["tune", "load"]);
  expect(timings[0].seconds).toBeGreaterThan(0);
  expect(timings[0].seconds).toBeLessThanOrEqual(first);
  expect(later.seconds()).toBeGreaterThan(timings[0].seconds);
  await work.remove();
});

test("another run's work, and what is none, are refused; removing leaves the files of others", async () => {
  const work = await openWork(folder, "this run", new Clock());
  await expect(openWork(folder, "that run", new Clock())).rejects.toThrow(/is the work of another run \(this run\)/);
  await writeFile(join(folder, "mine.txt"), "");
  await work.remove();
  expect(await readdir(folder)).toEqual(["mine.txt"]);
  await writeFile(join(folder, "work.json"), '{"counts": {"a": -1}}');
  await expect(openWork(folder, "this run", new Clock())).rejects.toMatchObject({ code: "bad-input" });
});

test("a file or a link to nothing where the folder should be, and a folder where its file should be, are refused", async () => {
  const at = (name: string) => join(folder, name);
  await writeFile(at("file"), "mine");
  await symlink("nowhere", at("link"));
  await mkdir(at("full/work.json"), { recursive: true });
  for (const name of ["file", "link", "full"])
    await expect(openWork(at(name), "this run", new Clock())).rejects.toMatchObject({
      code: "bad-input",
      message: expect.stringMatching(/is in the way of work in progress/),
    });
  expect((await readdir(folder)).sort()).toEqual(["file", "full", "link"]);
});
