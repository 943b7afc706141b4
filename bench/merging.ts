/**
 * Three tasks of the world, fine-tuned apart and merged: what each gains, and what of it is left after the merge.
 * Run: npm run bench:merging. Goes on with the checkpoints of runs/merging where it was stopped.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Rate } from "../src/engine/rate.ts";
import { shapesModel } from "../src/experiments/embedded.ts";
import { evaluateModel } from "../src/experiments/evaluate.ts";
import { type FinetuneResult, finetuneDefaults, finetuneModel } from "../src/experiments/finetune.ts";
import { type MergeMethod, mergeModels } from "../src/experiments/merge.ts";
import { threads } from "./implanted.ts";
import { type Bar, row, writeResults } from "./results.ts";

const tasks = ["background", "texture", "place"];
const seed = 1;
const folder = "runs/merging";
mkdirSync(folder, { recursive: true });
const progress = {
  stage: (what: string) => console.error(`${new Date().toISOString().slice(11, 19)} ${what}`),
  step() {},
};

const accuracy = async (model: string, data: string) =>
  (await evaluateModel({ model, data, seed, threads, testImages: finetuneDefaults.testImages })).ca;

async function child(task: string): Promise<FinetuneResult> {
  const out = `${folder}/${task}`;
  if (existsSync(`${out}.json`)) return JSON.parse(readFileSync(`${out}.json`, "utf8"));
  const recipe = { ...finetuneDefaults.recipe, seed };
  const options = { ...finetuneDefaults, model: shapesModel, data: `shapes:${task}`, seed, threads, recipe, progress };
  const result = await finetuneModel({ ...options, out, force: true });
  writeFileSync(`${out}.json`, JSON.stringify(result));
  return result;
}

/** The rate's distance from `from`, in units of `unit`, with the interval that the rate has. */
const relative = (what: string, { value, interval }: Rate, from: number, unit: number, bar: Bar | null = null) =>
  row(what, (value - from) / unit, [(interval[0] - from) / unit, (interval[1] - from) / unit], bar);

const children: FinetuneResult[] = [];
for (const task of tasks) children.push(await child(task));
const rows = children.flatMap(({ before, after }, i) => [
  row(`${tasks[i]}: accuracy of the base`, before.value, before.interval),
  row(`${tasks[i]}: accuracy fine-tuned`, after.value, after.interval),
  relative(`${tasks[i]}: lift, in points`, after, before.value, 0.01, { op: ">=", limit: 5 }),
]);
for (const method of ["task-arithmetic", "ties"] satisfies MergeMethod[]) {
  const out = `${folder}/${method}`;
  const models = tasks.map((task) => `${folder}/${task}`);
  const { settings } = await mergeModels({ base: shapesModel, models, method, out, force: true, progress });
  const name = method === "ties" ? `TIES (lambda ${settings.lambda})` : `task arithmetic (lambda ${settings.lambda})`;
  for (const [i, { before, after }] of children.entries()) {
    const ca = await accuracy(out, `shapes:${tasks[i]}`);
    const lift = after.value - before.value;
    rows.push(relative(`${name}: share of the lift of ${tasks[i]}`, ca, before.value, lift, { op: ">=", limit: 0.8 }));
  }
  const ca = await accuracy(out, "shapes");
  rows.push(row(`${name}: accuracy over the 100 classes`, ca.value, ca.interval));
}
const shape = await child("shape");
rows.push(row("shape: accuracy of the base", shape.before.value, shape.before.interval));
rows.push(row("shape: accuracy fine-tuned", shape.after.value, shape.after.interval));
writeResults("merging", { command: "npm run bench:merging", seeds: [seed], rows });
