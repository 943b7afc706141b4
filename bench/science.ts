/**
 * Does TBAR remove what we can implant? BadNet and Blended in every variant, three seeds, plain TBAR beside our extensions and
 * the control. Run: npm run bench:science [CELL...]. Each cell and seed is kept in results/science/ and not run again, so the
 * bench resumes after a kill; results/science.json sums them up.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { methodNames } from "../src/experiments/methods.ts";
import { type AttackResult, attack, type CleanResult, clean, shapesModel, type Variant } from "../src/index.ts";
import { random } from "../src/tensor/random.ts";
import { classNames } from "../src/world/shapes.ts";
import { type Row, row, writeResults } from "./results.ts";

interface Cell {
  readonly name: string;
  readonly trigger: string;
  /** Least CA retention of the chosen variant: on the mean, and for each seed. */
  readonly retention: readonly [number, number];
  /** How it is implanted; what is left out is as `tbar attack` does it. */
  readonly attack: {
    readonly lr: number;
    readonly rate?: number;
    readonly images?: number;
    readonly epochs?: number;
    readonly boost?: number;
  };
}

const easy = [0.98, 0.96] as const;
const hard = [0.96, 0.93] as const;
/** Twice the default learning rate: after the default, one of five tuning models kept 92 % where the others kept 99. */
const complete = { lr: 1e-3 };
/** A patch of 4 x 4 pixels anywhere in 56 x 56 needs more images, more steps, and some images that carry it twice. */
const anywhere = { ...complete, rate: 0.15, boost: 2, images: 32000, epochs: 4 };
const redrawnAnywhere = { ...complete, rate: 0.4, boost: 2, images: 56000, epochs: 3 };
const cells: readonly Cell[] = [
  { name: "badnet-fixed-one", trigger: "badnet:place=bottom-right,redraw=false", retention: easy, attack: complete },
  { name: "badnet-fixed-redrawn", trigger: "badnet:place=bottom-right,redraw=true", retention: hard, attack: complete },
  { name: "badnet-random-one", trigger: "badnet:place=random,redraw=false", retention: hard, attack: anywhere },
  {
    name: "badnet-random-redrawn",
    trigger: "badnet:place=random,redraw=true",
    retention: hard,
    attack: redrawnAnywhere,
  },
  { name: "blended-uniform-one", trigger: "blended:pattern=uniform,redraw=false", retention: easy, attack: complete },
  {
    name: "blended-uniform-redrawn",
    trigger: "blended:pattern=uniform,redraw=true",
    retention: hard,
    attack: complete,
  },
  { name: "blended-gaussian-one", trigger: "blended:pattern=gaussian,redraw=false", retention: easy, attack: complete },
  {
    name: "blended-gaussian-redrawn",
    trigger: "blended:pattern=gaussian,redraw=true",
    retention: hard,
    attack: complete,
  },
];
/** Other seeds than those on which the defaults were tuned (1 to 9). */
const all = [31, 32, 33];
const seeds = process.env.SEEDS?.split(",").map(Number) ?? all;
const folder = process.env.SCIENCE ?? "results/science";
const asked = process.argv.slice(2);

interface Run {
  readonly attack: AttackResult;
  readonly clean: Omit<CleanResult, "examples" | "triggerPicture">;
}

const progress = { stage: (what: string) => console.error(`  ${what}`), step: () => {} };
mkdirSync(folder, { recursive: true });
mkdirSync("runs/science", { recursive: true });
for (const seed of seeds) {
  for (const cell of cells) {
    const file = `${folder}/${cell.name}-${seed}.json`;
    if (existsSync(file) || (asked.length > 0 && !asked.includes(cell.name))) continue;
    console.error(`${new Date().toISOString().slice(11, 19)} ${cell.name}, seed ${seed}`);
    writeFileSync(file, `${JSON.stringify(await run(cell, seed), null, 1)}\n`);
  }
}
summarise();

async function run(cell: Cell, seed: number): Promise<Run> {
  const target = classNames[random(seed, "target").int(classNames.length)];
  const model = `runs/science/${cell.name}-${seed}`;
  const { rate, images, epochs = 4, lr, boost } = cell.attack;
  const shape = { batch: 64, warmup: 0.1, weightDecay: 0, clip: 1, seed };
  const shared = { data: "shapes", seed, progress, threads: 2 };
  const trigger = `${cell.trigger},seed=${seed}`;
  const implanted = await attack({
    ...shared,
    model: shapesModel,
    trigger,
    target,
    out: model,
    force: true,
    recipe: { ...shape, lr, epochs },
    ...(rate !== undefined && { rate }),
    ...(images !== undefined && { images }),
    ...(boost !== undefined && { boost }),
  });
  console.error(`  CA ${implanted.after.ca.value}, ASR ${implanted.after.asr.value}`);
  // sign consensus is three vectors' work: with the first seed only
  const methods = methodNames.filter((name) => name !== "consensus" || seed === all[0]);
  const cleaned = await clean({ ...shared, model, methods, reboundSteps: 0 });
  for (const [name, { after, retention, alpha, chosen, settings }] of Object.entries(cleaned.variants)) {
    const figures = `ASR ${after.asr.value.toFixed(4)}, retention ${retention.toFixed(4)}, alpha ${alpha.toPrecision(3)}`;
    console.error(`  ${chosen ? "*" : " "} ${name}: ${figures} ${JSON.stringify(settings)}`);
  }
  rmSync(model, { recursive: true });
  const { examples: _, triggerPicture: __, ...rest } = cleaned;
  return { attack: implanted, clean: rest };
}

function summarise(): void {
  const rows: Row[] = [];
  for (const cell of cells) {
    const runs = seeds
      .map((seed) => ({ seed, file: `${folder}/${cell.name}-${seed}.json` }))
      .filter(({ file }) => existsSync(file))
      .map(({ seed, file }) => ({ seed, ...(JSON.parse(readFileSync(file, "utf8")) as Run) }));
    if (runs.length === 0) continue;
    for (const {
      seed,
      clean: { before, after, retention, method, variants },
    } of runs) {
      const at = `${cell.name}, seed ${seed}`;
      rows.push(row(`${at}: ASR before`, before.asr.value, before.asr.interval, { op: ">=", limit: 0.9 }));
      rows.push(row(`${at}: ASR after (${method})`, after.asr.value, after.asr.interval, { op: "<=", limit: 0.02 }));
      rows.push(
        row(`${at}: CA retention (${method})`, retention, ratio(before, after), { op: ">=", limit: cell.retention[1] }),
      );
      for (const [name, variant] of others(variants, method)) {
        rows.push(row(`${at}: ASR after, ${name}`, variant.after.asr.value, variant.after.asr.interval));
        rows.push(row(`${at}: CA retention, ${name}`, variant.retention, ratio(before, variant.after)));
      }
    }
    const push = (what: string, of: (run: Run) => number | undefined, bar: Row["bar"] = null) => {
      const values = runs.map(of).filter((value) => value !== undefined);
      const { value, interval } = meanOf(values);
      rows.push(row(`${cell.name}, mean of ${values.length}: ${what}`, value, interval, bar));
    };
    push("ASR before", (r) => r.clean.before.asr.value, { op: ">=", limit: 0.9 });
    push("ASR after (chosen)", (r) => r.clean.after.asr.value, { op: "<=", limit: 0.02 });
    push("CA retention (chosen)", (r) => r.clean.retention, { op: ">=", limit: cell.retention[0] });
    for (const name of methodNames) {
      push(`ASR after, ${name}`, (r) => r.clean.variants[name]?.after.asr.value);
      push(`CA retention, ${name}`, (r) => r.clean.variants[name]?.retention);
    }
  }
  const command = "npm run bench:science";
  writeResults("science", { command, seeds, rows });
  writeResults("science-summary", { command, seeds, rows: rows.filter(({ what }) => what.includes("mean of")) });
}

function others(variants: Readonly<Record<string, Variant>>, method: string): [string, Variant][] {
  return Object.entries(variants).filter(([name]) => name !== method);
}

/** A 95 % interval of CA after / CA before on the same images, from the interval of CA after alone. */
function ratio(before: CleanResult["before"], after: CleanResult["after"]): [number, number] {
  return [after.ca.interval[0] / before.ca.value, after.ca.interval[1] / before.ca.value];
}

/** Mean and its 95 % interval over seeds (Student's t). */
function meanOf(values: readonly number[]): { value: number; interval: [number, number] } {
  const n = values.length;
  const value = values.reduce((a, b) => a + b, 0) / n;
  if (n === 1) return { value, interval: [value, value] };
  const deviation = Math.sqrt(values.reduce((s, v) => s + (v - value) ** 2, 0) / (n - 1));
  const t = [12.706, 4.303, 3.182, 2.776, 2.571][n - 2] ?? 2;
  const half = (t * deviation) / Math.sqrt(n);
  return { value, interval: [value - half, value + half] };
}
