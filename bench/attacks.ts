/**
 * Does every attack take, and does TBAR remove it? The paper's attacks with three seeds, the harder ones with one; beside each its
 * twin, trained likewise on images without poison. Run: npm run bench:attacks [CELL...]. Each run is kept in results/attacks/ and not
 * run again; results/attacks.json sums them up.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AttackResult, type FinetuneResult, finetune, shapesModel } from "../src/index.ts";
import { finetuneSpec } from "../src/jobs/finetune/spec.ts";
import { alive } from "../src/metrics/decision.ts";
import {
  type Cell as Attacked,
  cleanOnce,
  implant,
  meanOf,
  once,
  otherRows,
  progress,
  type Run,
  ratio,
  recipeOf,
  threads,
} from "./implanted.ts";
import { type Bar, type Row, row, writeResults, yardstick } from "./results.ts";

interface Cell extends Attacked {
  readonly of: "paper" | "PAR" | "harder";
  /** Where its runs are kept, if another bench makes them too. */
  readonly kept?: string;
}

/** As in the bench of science: implanted to completion. */
const complete = { lr: 1e-3 };
const cells: readonly Cell[] = [
  {
    of: "paper",
    kept: "results/science/badnet-fixed-one",
    name: "badnet",
    trigger: "badnet:place=bottom-right,redraw=false",
    attack: complete,
  },
  {
    of: "paper",
    kept: "results/science/blended-gaussian-one",
    name: "blended",
    trigger: "blended:pattern=gaussian,redraw=false",
    attack: complete,
  },
  // three times the CLIP attacks' strength: with s=1 one image in four at most is taken for the target (docs/attacks/wanet.md)
  { of: "paper", name: "wanet", trigger: "wanet:s=3", attack: { ...complete, rate: 0.2 } },
  { of: "paper", name: "sig", trigger: "sig", attack: complete },
  { of: "paper", name: "badclip", trigger: "badclip:size=12", attack: { ...complete, rate: 0.01 } },
  { of: "paper", name: "badmerging", trigger: "badmerging:size=12", attack: complete }, // after merging: bench/badmerging.ts
  { of: "PAR", name: "stripes", trigger: "stripes:place=bottom-right", attack: complete },
  { of: "PAR", name: "blended-stripes", trigger: "blended-stripes", attack: complete },
  { of: "PAR", name: "triangles", trigger: "triangles", attack: complete },
  { of: "PAR", name: "text", trigger: "text", attack: complete },
  // these two poison images of the target class only: one class in a hundred is too few, one in ten is not
  {
    of: "harder",
    name: "label-consistent",
    trigger: "label-consistent:epsilon=0.125",
    data: "shapes:shape",
    attack: { ...complete, rate: 0.08 },
  },
  { of: "harder", name: "sample-specific", trigger: "sample-specific", attack: complete },
  { of: "harder", name: "grond", trigger: "grond", data: "shapes:shape", attack: { ...complete, rate: 0.05 } },
  { of: "harder", name: "entangled", trigger: "entangled:place=bottom-right,redraw=false", attack: complete },
  { of: "harder", name: "first-order", trigger: "first-order:place=bottom-right,redraw=false", attack: complete },
];
/** Settings were tuned on other seeds; but that other ones fail was seen with these: of WaNet with all three, of stripes at a random place with 31. */
const seeds = process.env.SEEDS?.split(",").map(Number) ?? [31, 32, 33];
const seedsOf = ({ of }: Cell) => (of === "paper" ? seeds : seeds.slice(0, 1));
const takes: Bar = { op: ">=", limit: 0.9 };
const costs: Bar = { op: "<=", limit: 0.02 };
const gone: Bar = { op: "<=", limit: 0.02 };
const kept: Bar = { op: ">=", limit: 0.95 };
const methods = ["plain", "anchored", "fisher"];
const folder = "results/attacks";
const asked = process.argv.slice(2);

mkdirSync(folder, { recursive: true });
mkdirSync("results/science", { recursive: true });
mkdirSync("runs/attacks", { recursive: true });
// first seeds first
const jobs = seeds.flatMap((seed) =>
  cells.filter((cell) => seedsOf(cell).includes(seed)).map((cell) => ({ cell, seed })),
);
for (const { cell, seed } of jobs) {
  if (asked.length > 0 && !asked.includes(cell.name)) continue;
  console.error(`${new Date().toISOString().slice(11, 19)} ${cell.name}, seed ${seed}`);
  await once(fileOf(cell, seed), () => attackAndClean(cell, seed));
  await twin(cell, seed);
}
await summarise();

interface Tried extends Pick<Run, "attack"> {
  /** null: the attack did not take, and there is nothing to remove. */
  readonly clean: Run["clean"] | null;
}

async function attackAndClean(cell: Cell, seed: number): Promise<Tried> {
  const model = `runs/attacks/${cell.name}-${seed}`;
  const attack = await implant(cell, seed, model);
  const clean = attack.after.asr.value < alive ? null : await cleanOnce(cell, seed, model, methods);
  rmSync(model, { recursive: true });
  return { attack, clean };
}

function fileOf({ name, kept = `${folder}/${name}` }: Cell, seed: number): string {
  return `${kept}-${seed}.json`;
}

/** CA after the same steps on images without poison; one twin serves all attacks of its recipe. */
async function twin({ attack, data = "shapes" }: Cell, seed: number): Promise<number> {
  const { seed: _, ...recipe } = recipeOf(attack, seed);
  const { images } = finetuneSpec.pick({ images: true }).parse(attack);
  const task = data.replace("shapes", "").replace(":", "-");
  const file = `${folder}/twin${task}-${images}x${recipe.epochs}-${recipe.lr}-${seed}.json`;
  if (!existsSync(file)) {
    const result = await finetune({ model: shapesModel, data, seed, images, recipe, threads }, { progress });
    writeFileSync(file, `${JSON.stringify(result, null, 1)}\n`);
  }
  return (JSON.parse(readFileSync(file, "utf8")) as FinetuneResult).after.value;
}

interface Seen extends Tried {
  readonly seed: number;
  /** CA of the twin. */
  readonly twin: number;
}

async function seen(cell: Cell): Promise<Seen[]> {
  const runs: Seen[] = [];
  for (const seed of seedsOf(cell)) {
    const file = fileOf(cell, seed);
    if (!existsSync(file)) continue;
    runs.push({ ...(JSON.parse(readFileSync(file, "utf8")) as Tried), seed, twin: await twin(cell, seed) });
  }
  return runs;
}

function rowsOfSeed(cell: Cell, { seed, attack, clean, twin }: Seen): Row[] {
  const at = `${nameOf(cell)}, seed ${seed}`;
  const bar = (bar: Bar) => (cell.of === "harder" ? null : bar);
  const { before, after, seconds } = attack;
  const [low, high] = after.ca.interval;
  const attacked = [
    row(`${at}: target's rate before`, before.asr.value, before.asr.interval),
    row(`${at}: ASR`, after.asr.value, after.asr.interval, bar(takes)),
    row(`${at}: CA lost against the twin`, lost(attack, twin), [twin - high, twin - low], bar(costs)),
    row(`${at}: minutes`, seconds / 60, [seconds / 60, seconds / 60]),
  ];
  if (clean === null) return attacked;
  const { asr } = clean.after;
  return [
    ...attacked,
    row(`${at}: ASR after (${clean.method})`, asr.value, asr.interval),
    row(`${at}: CA retention (${clean.method})`, clean.retention, ratio(clean.before, clean.after)),
    ...otherRows(at, clean),
  ];
}

/** Of two shares of the same images, without the last digits of floating point. */
function lost({ after }: AttackResult, twin: number): number {
  return Number((twin - after.ca.value).toFixed(9));
}

function means(cell: Cell, runs: readonly Seen[]): Row[] {
  const rows: Row[] = [];
  const push = (what: string, of: (run: Seen) => number | undefined, bar: Bar | null = null) => {
    const values = runs.map(of).filter((value) => value !== undefined);
    if (values.length === 0) return;
    const { value, interval } = meanOf(values);
    rows.push(row(`${nameOf(cell)}, mean of ${values.length}: ${what}`, value, interval, bar));
  };
  const [hard, paper] = [cell.of === "harder", cell.of === "paper"];
  push("target's rate before", ({ attack }) => attack.before.asr.value);
  push("ASR", ({ attack }) => attack.after.asr.value, hard ? null : takes);
  push("CA lost against the twin", ({ attack, twin }) => lost(attack, twin), hard ? null : costs);
  push("minutes", ({ attack }) => attack.seconds / 60);
  push("ASR after (chosen)", ({ clean }) => clean?.after.asr.value, paper ? gone : null);
  push("CA retention (chosen)", ({ clean }) => clean?.retention, paper ? kept : null);
  for (const name of methods) {
    push(`ASR after, ${name}`, ({ clean }) => clean?.variants[name].after.asr.value);
    push(`CA retention, ${name}`, ({ clean }) => clean?.variants[name].retention);
  }
  return rows;
}

function nameOf({ name, data }: Cell): string {
  return data === undefined ? name : `${name} on ${data}`;
}

async function summarise(): Promise<void> {
  const rows: Row[] = [];
  const summary: Row[] = [];
  for (const cell of cells) {
    const runs = await seen(cell);
    rows.push(...runs.flatMap((run) => rowsOfSeed(cell, run)));
    summary.push(...means(cell, runs));
  }
  const shared = { command: "npm run bench:attacks", seeds, yardstick: yardstick() };
  writeResults("attacks", { ...shared, rows: [...rows, ...summary] });
  writeResults("attacks-summary", { ...shared, rows: summary });
}
