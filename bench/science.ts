/**
 * Does TBAR remove what we can implant? BadNet and Blended in every variant, three seeds, plain TBAR beside our extensions and
 * the control. Run: npm run bench:science [CELL...]. Each cell and seed is kept in results/science/ and not run again, so the
 * bench resumes after a kill; results/science.json sums them up.
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { methodNames } from "../src/defenses/index.ts";
import { type Cell as Attacked, implantAndClean, meanOf, once, otherRows, type Run, ratio } from "./implanted.ts";
import { type Row, row, writeResults, yardstick } from "./results.ts";

interface Cell extends Attacked {
  /** Least CA retention of the chosen variant: on the mean, and for each seed. */
  readonly retention: readonly [number, number];
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

mkdirSync(folder, { recursive: true });
mkdirSync("runs/science", { recursive: true });
for (const seed of seeds) {
  for (const cell of cells) {
    if (asked.length > 0 && !asked.includes(cell.name)) continue;
    console.error(`${new Date().toISOString().slice(11, 19)} ${cell.name}, seed ${seed}`);
    // consensus is three vectors' work, relabel a control: with the first seed only
    const methods = methodNames.filter((name) => seed === all[0] || (name !== "consensus" && name !== "relabel"));
    const made = () => implantAndClean(cell, seed, `runs/science/${cell.name}-${seed}`, methods);
    await once(`${folder}/${cell.name}-${seed}.json`, made);
  }
}
summarise();

function summarise(): void {
  const rows: Row[] = [];
  for (const cell of cells) {
    const runs = seeds
      .map((seed) => ({ seed, file: `${folder}/${cell.name}-${seed}.json` }))
      .filter(({ file }) => existsSync(file))
      .map(({ seed, file }) => ({ seed, ...(JSON.parse(readFileSync(file, "utf8")) as Run) }));
    if (runs.length === 0) continue;
    for (const { seed, clean } of runs) {
      const { before, after, retention, method } = clean;
      const at = `${cell.name}, seed ${seed}`;
      rows.push(row(`${at}: ASR before`, before.asr.value, before.asr.interval, { op: ">=", limit: 0.9 }));
      rows.push(row(`${at}: ASR after (${method})`, after.asr.value, after.asr.interval, { op: "<=", limit: 0.02 }));
      rows.push(
        row(`${at}: CA retention (${method})`, retention, ratio(before, after), { op: ">=", limit: cell.retention[1] }),
      );
      rows.push(...otherRows(at, clean));
    }
    const push = (what: string, of: (run: Run) => number | undefined, bar: Row["bar"] = null) => {
      const values = runs.map(of).filter((value) => value !== undefined);
      if (values.length === 0) return;
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
  const shared = { command: "npm run bench:science", seeds, yardstick: yardstick() };
  writeResults("science", { ...shared, rows });
  const means = rows.filter(({ what }) => what.includes(`mean of ${seeds.length}: `));
  writeResults("science-summary", { ...shared, rows: means });
}
