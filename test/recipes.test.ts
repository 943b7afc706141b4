/** Recipes that ship: every spec is one that its job takes, and each runs in its tiny form, in seconds, on a pico model. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { silent } from "../src/jobs/context.ts";
import { finetune } from "../src/jobs/finetune/job.ts";
import { runJob } from "../src/jobs/run-job.ts";
import { openStore } from "../src/store/store.ts";
import { sweepRun } from "../src/sweep/jobs.ts";
import { readRecipe, recipeNames } from "../src/sweep/recipe.ts";
import { type Perform, runSweep } from "../src/sweep/run.ts";
import { tableOf } from "../src/sweep/table.ts";
import { follow, unitsOf } from "../src/sweep/units.ts";
import { random } from "../src/tensor/random.ts";
import { writePico } from "./pico.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const names = recipeNames();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-recipes-"));
  await writePico(at("untrained"));
  // knows backgrounds: a backdoor is alive only in a model that knows something
  const spec = { data: "shapes:background", images: 4000, testImages: 200, recipe: { epochs: 2, lr: 0.005 } };
  await runJob(finetune, { ...spec, model: at("untrained"), out: at("pico"), threads: 1 });
  await writePhotographs();
  for (const parent of ["shapes", "shape-tuned", "pretrained-2", "color-tuned", "pretrained-3", "class-tuned"])
    await symlink(at("pico"), at(parent));
}, 60_000);
afterAll(() => rm(folder, { recursive: true }));

/** CIFAR-100 as it is laid out, of six classes with a colour each, and a table of captions. */
async function writePhotographs(): Promise<void> {
  await mkdir(at("cifar100"));
  await mkdir(at("flickr8k-1000"));
  const from = random(1, "photographs");
  for (const [name, count] of [
    ["train", 1500],
    ["test", 400],
  ] as const) {
    const records = Buffer.alloc(count * 3074);
    for (let i = 0; i < count; i++) {
      const label = i % 6;
      records[i * 3074 + 1] = label;
      for (let p = 0; p < 3072; p++)
        records[i * 3074 + 2 + p] = 40 * ((label + 2 * Math.floor(p / 1024)) % 6) + from.int(30);
    }
    await writeFile(at(`cifar100/${name}.bin`), records);
  }
  const classes = ["apple", "bear", "cloud", "dolphin", "forest", "rose"];
  await writeFile(at("cifar100/fine_label_names.txt"), `${classes.join("\n")}\n`);
  await sharp({ create: { width: 40, height: 40, channels: 3, background: "#a04020" } })
    .jpeg()
    .toFile(at("flickr8k-1000/one.jpg"));
  const rows = classes.map((name) => `one.jpg,a photo of a ${name}`);
  await writeFile(at("flickr8k-1000/captions.csv"), `image,caption\n${rows.join("\n")}\n`);
}

test("those that ship are named in the help", () => {
  expect(names).toEqual([
    "attacks",
    "badmerging",
    "cifar",
    "scan-calibration",
    "science",
    "tbar-ablation-ratio",
    "tbar-ablation-size",
    "tbar-capacity",
    "tbar-erase",
    "tbar-low-cost",
    "tbar-plain",
    "tbar-table-image-text",
    "tbar-table-single-task",
    "tbar-transfer",
    "tbar-xi",
    "unknown",
    "unknown-rivals",
  ]);
  expect(sweepRun.spec.shape.recipe.description).toContain(
    "science, attacks, badmerging, cifar, scan-calibration, unknown, unknown-rivals, tbar-table-single-task, tbar-table-image-text, tbar-xi, tbar-ablation-size, tbar-ablation-ratio, tbar-transfer, tbar-low-cost, tbar-erase, tbar-capacity, tbar-plain",
  );
});

test.each(names)("%s: each spec is one that its job takes", async (name) => {
  const recipe = await readRecipe(name, { set: own[name] === "parents" ? [`parents=${folder}`] : [] });
  const units = unitsOf(recipe);
  expect(units.length).toBeGreaterThan(5);
  for (const unit of units) {
    const { left, ready } = await follow(recipe, unit, { store: openStore(at("empty")) });
    expect(left.length).toBeGreaterThan(0);
    expect(ready.length).toBeGreaterThan(0);
  }
});

/** Not there of a pico model: one of two steps runs, as the scan decides. */
const notOf = ["steps.blind.", "steps.told.", "steps.tuned.", "steps.tuned-told."];

/** This one pre-trains its models itself. */
const bare = "tbar-capacity";

/** Values that hold a folder; the others name the model. */
const own: Readonly<Record<string, string>> = {
  cifar: "folder",
  "scan-calibration": "parents",
  unknown: "parents",
  "unknown-rivals": "parents",
};

test.each(names)(
  "%s: the tiny form runs, resumes without running anything, and has a table",
  async (name) => {
    const set = name === bare ? [] : [`${own[name] ?? "model"}=${own[name] ? folder : at("pico")}`];
    const recipe = await readRecipe(name, { profile: "tiny", set });
    const store = openStore(at(`store-${name}`));
    const perform: Perform = (job, spec, given) => runJob(job, spec as never, given) as never; // without the start of a process each
    const sweep = { units: unitsOf(recipe), store, workers: 1, perform };
    const { failed, ran } = await runSweep(recipe, sweep, { progress: silent } as never);
    expect([...failed.values()]).toEqual([]);
    expect(ran).toBeGreaterThan(1);
    expect((await runSweep(recipe, sweep, { progress: silent } as never)).ran).toBe(0);
    const { rows, left } = await tableOf(recipe, store);
    expect(left).toBe(0);
    const figures = new Set(rows.map(({ figure }) => figure));
    for (const { name, each, cells, value } of recipe.table.figures) {
      if (notOf.some((path) => String(value).startsWith(path))) continue;
      if (each === undefined && recipe.cells.some((cell) => cells?.includes(cell.name) ?? true)) expect([...figures]).toContain(name); // biome-ignore format: one line
    }
    for (const { value, interval } of rows) {
      expect(interval[0]).toBeLessThanOrEqual(value);
      expect(interval[1]).toBeGreaterThanOrEqual(value);
    }
  },
  120_000,
);
