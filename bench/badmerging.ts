/**
 * What survives a merge? BadMerging on-task and off-task, and a BadNet implanted the usual way, each merged with three clean models of other
 * tasks by task arithmetic and by TIES. Run: npm run bench:badmerging [CELL...]. Each run is kept in results/badmerging/ and not
 * run again; checkpoints lie in runs/badmerging/. results/badmerging.json sums them up.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AttackResult, attack, evaluate, type FinetuneResult, finetune, shapesModel } from "../src/index.ts";
import { attackDefaults } from "../src/jobs/attack/attack.ts";
import { merge } from "../src/jobs/merge/job.ts";
import { runJob } from "../src/jobs/run-job.ts";
import type { MergeResult } from "../src/results/merge.ts";
import type { Rate } from "../src/stats/rate.ts";
import { random } from "../src/tensor/random.ts";
import { classNames, labelSets } from "../src/world/shapes.ts";
import { progress, threads } from "./implanted.ts";
import { type Bar, type Row, row, writeResults } from "./results.ts";

type MergeMethod = MergeResult["settings"]["method"];

interface Cell {
  readonly name: string;
  readonly trigger: string;
  /** Data and classes of the task that is attacked; the attacker's own data are the world's 100 classes. */
  readonly victim: string;
  readonly targets: readonly string[];
  /** What is not as `tbar attack` does it. */
  readonly attack?: { readonly rate: number; readonly lr: number };
  readonly bar: Bar | null;
}

const survives: Bar = { op: ">=", limit: 0.8 };
/** The authors trigger all images. With the defaults, and r down to 0.2 only, too little was left of seed 31 (docs/attacks/badmerging.md). */
const strong = { rate: 0.5, lr: 3e-4 };
// patches of 12 of 56 pixels and more: smaller ones move this model too little (docs/attacks/badclip.md)
const cells: readonly Cell[] = [
  {
    name: "on-task",
    trigger: "badmerging:size=14,least=0.05", // with 12, after task arithmetic 68 to 98 % with seeds 31 to 33
    victim: "shapes",
    targets: classNames,
    attack: strong,
    bar: survives,
  },
  {
    name: "off-task",
    trigger: "badmerging:task=off,size=12,least=0.05",
    victim: "shapes:shape",
    targets: labelSets.shape,
    attack: strong,
    bar: survives,
  },
  {
    name: "badnet",
    trigger: "badnet:size=12,place=bottom-right,redraw=false", // as large as off-task's fitted patch
    victim: "shapes",
    targets: classNames,
    bar: null,
  },
];

interface Run {
  readonly attack: AttackResult;
  /** On the victim's task: the base with this trigger, and the attacker's model. */
  readonly base: Rate;
  readonly alone: Rate;
  readonly merged: Record<
    MergeMethod,
    { readonly asr: Rate; readonly own: Rate; readonly tasks: Record<string, Rate> }
  >;
}

/** All but shape leave room for 5 points (the base is right for 97 % of the shapes); of texture its features tell nothing. */
const tasks = ["shape", "background", "place"];
const methods: readonly MergeMethod[] = ["task-arithmetic", "ties"];
const seeds = process.env.SEEDS?.split(",").map(Number) ?? [31, 32, 33];
const images = Number(process.env.IMAGES ?? attackDefaults.images);
const testImages = Number(process.env.TEST ?? attackDefaults.testImages);
/** Clean tasks learn in the projection alone, 250 steps: vectors of the whole tower disturb each other (docs/merging.md). */
const clean = { lr: 5e-3, modules: "projection", images: Math.min(images, 4000) } as const;
const asked = process.argv.slice(2);
const kept = "results/badmerging";
const models = "runs/badmerging";

mkdirSync(kept, { recursive: true });
mkdirSync(models, { recursive: true });
for (const seed of seeds) {
  for (const cell of cells) {
    if (asked.length > 0 && !asked.includes(cell.name)) continue;
    if (existsSync(fileOf(cell.name, seed))) continue;
    console.error(`${new Date().toISOString().slice(11, 19)} ${cell.name}, seed ${seed}`);
    for (const task of tasks) await cleanModel(task, seed);
    keep(cell.name, seed, await attackAndMerge(cell, seed));
  }
}
writeResults("badmerging", { command: "npm run bench:badmerging", seeds, rows: seeds.flatMap(rowsOf) });

function fileOf(name: string, seed: number): string {
  return `${kept}/${name}-${seed}.json`;
}

function keep(name: string, seed: number, run: object): void {
  writeFileSync(fileOf(name, seed), `${JSON.stringify(run, null, 1)}\n`);
}

/** A task's own model; made again where its checkpoint has gone. */
async function cleanModel(task: string, seed: number): Promise<void> {
  const out = `${models}/${task}-${seed}`;
  if (existsSync(out) && existsSync(fileOf(task, seed))) return;
  console.error(`${new Date().toISOString().slice(11, 19)} ${task}, seed ${seed}`);
  const { images, ...recipe } = clean;
  const spec = {
    model: shapesModel,
    data: `shapes:${task}`,
    out,
    force: true,
    images,
    testImages,
    seed,
    recipe,
    threads,
  };
  keep(task, seed, await finetune(spec, { progress }));
}

async function attackAndMerge({ name, trigger, victim, targets, attack: how }: Cell, seed: number): Promise<Run> {
  const out = `${models}/${name}-${seed}`;
  const target = targets[random(seed, "target").int(targets.length)];
  const shared = { seed, testImages, threads };
  const spec = `${trigger}${trigger.includes(":") ? "," : ":"}seed=${seed}`;
  const from = { model: shapesModel, data: "shapes", images, out, force: true, progress };
  const recipe = { ...attackDefaults.recipe, ...(how && { lr: how.lr }), seed };
  const rate = how?.rate ?? attackDefaults.rate;
  const implanted = await attack({ ...shared, ...from, trigger: spec, target, rate, recipe });
  const asrOf = async (model: string): Promise<Rate> =>
    (await evaluate({ ...shared, model, data: victim, trigger: implanted.trigger, target })).asr as Rate;
  const caOf = async (model: string, data: string): Promise<Rate> => (await evaluate({ ...shared, model, data })).ca;
  const run = { attack: implanted, base: await asrOf(shapesModel), alone: await asrOf(out) };
  const merged: Partial<Run["merged"]> = {};
  for (const method of methods) {
    const sum = `${out}-${method}`;
    const parts = [out, ...tasks.map((task) => `${models}/${task}-${seed}`)];
    await runJob(merge, { base: shapesModel, models: parts, method, out: sum, force: true }, { progress });
    const accuracies: Record<string, Rate> = {};
    for (const task of tasks) accuracies[task] = await caOf(sum, `shapes:${task}`);
    merged[method] = { asr: await asrOf(sum), own: await caOf(sum, "shapes"), tasks: accuracies };
    console.error(`  ${method}: ASR ${merged[method].asr.value}`);
    rmSync(sum, { recursive: true });
  }
  rmSync(out, { recursive: true });
  return { ...run, merged: merged as Run["merged"] };
}

function rowsOf(seed: number): Row[] {
  const runOf = <T>(name: string): T | undefined =>
    existsSync(fileOf(name, seed)) ? (JSON.parse(readFileSync(fileOf(name, seed), "utf8")) as T) : undefined;
  const rows: Row[] = [];
  const rate = (what: string, { value, interval }: Rate, bar: Bar | null = null) =>
    rows.push(row(`${what}, seed ${seed}`, value, interval, bar));
  const learned = tasks.flatMap((task) => {
    const result = runOf<FinetuneResult>(task);
    return result === undefined ? [] : [{ task, ...result }];
  });
  /** (rate - from) / unit, with the rate's interval. */
  const relative = (what: string, { value, interval }: Rate, from: number, unit: number, bar: Bar) => {
    const at = (v: number) => (v - from) / unit;
    rows.push(row(`${what}, seed ${seed}`, at(value), [at(interval[0]), at(interval[1])], bar));
  };
  for (const { task, before, after } of learned)
    relative(`${task}: lift, in points`, after, before.value, 0.01, { op: ">=", limit: 5 });
  for (const { name, bar } of cells) {
    const run = runOf<Run>(name);
    if (run === undefined) continue;
    rate(`${name}: ASR of the trigger on the base`, run.base);
    rate(`${name}: ASR before merging`, run.alone);
    rate(`${name}: CA on the attacker's task, of the base`, run.attack.before.ca);
    rate(`${name}: CA on the attacker's task, before merging`, run.attack.after.ca);
    for (const method of methods) {
      const { asr, own, tasks: accuracies } = run.merged[method];
      rate(`${name}, ${method}: ASR`, asr, bar);
      rate(`${name}, ${method}: CA on the attacker's task`, own);
      for (const { task, before, after } of learned) {
        const what = `${name}, ${method}: share kept of the lift of ${task}`;
        const lift = after.value - before.value;
        relative(what, accuracies[task], before.value, lift, { op: ">=", limit: 0.8 });
      }
    }
  }
  return rows;
}
