/** The work of tbar sweep run, status and table. */
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { z } from "zod";
import { writeFileAtomic } from "../files/atomic.ts";
import { isFolder } from "../files/files.ts";
import { makeFolder } from "../files/folder.ts";
import type { Context } from "../jobs/context.ts";
import { type Estimate, estimateOf } from "../jobs/progress/estimate.ts";
import { planJob } from "../jobs/run-job.ts";
import type { CellState, SweepRunResult, SweepStatusResult, SweepTableResult } from "../results/sweep.ts";
import { isBucket } from "../store/bucket.ts";
import { openStore } from "../store/store.ts";
import { badInput } from "../tensor/error.ts";
import { printable } from "../tensor/printable.ts";
import { failureOf } from "./failures.ts";
import { tableHtml } from "./html.ts";
import { readRecipe } from "./recipe.ts";
import { runSweep } from "./run.ts";
import type { runSpec, statusSpec, tableSpec } from "./specs.ts";
import { tableOf } from "./table.ts";
import { type Followed, follow, runFor, type Unit, unitsOf } from "./units.ts";

type RunSpec = z.output<typeof runSpec>;
type StatusSpec = z.output<typeof statusSpec>;

async function opened(
  spec: Pick<StatusSpec, "recipe" | "store" | "profile" | "set"> & Partial<StatusSpec & Pick<RunSpec, "part">>,
) {
  const recipe = await readRecipe(spec.recipe, spec);
  const found = isBucket(spec.store) ? undefined : await stat(spec.store).catch(() => undefined);
  if (found !== undefined && !found.isDirectory())
    throw badInput(`--store ${printable(spec.store)} is no folder; a store is one, and is made where there is none`);
  const units = unitsOf(recipe, spec.only);
  const store = openStore(spec.store);
  await store.read("is-it-there"); // a bucket that cannot be read is no fault of a step
  return { recipe, store, units: spec.part === undefined ? units : partOf(units, spec.part) };
}

/** Every Nth unit from the Kth on, "K/N". Throws `bad-input` where there is no such part. */
export function partOf(units: readonly Unit[], part: string): readonly Unit[] {
  const [k, n] = part.split("/").map(Number);
  if (k < 1 || k > n) throw badInput(`--part ${part}: there are parts 1/${n} to ${n}/${n}`);
  return units.filter((_, i) => i % n === k - 1);
}

export async function run(spec: RunSpec, context: Context): Promise<SweepRunResult> {
  const begun = performance.now();
  const { recipe, store, units } = await opened(spec);
  const { ran, failed } =
    spec.queue === undefined
      ? await runSweep(recipe, { units, store, workers: spec.jobs }, context)
      : { ran: 0, failed: await (await import("./queue/ask.ts")).askFor(spec.queue, spec, { recipe, store, units }, context) }; // biome-ignore format: one line
  const cells = units.map((unit): CellState => {
    const [at, message] = [{ cell: unit.cell.name, seed: unit.seed.seed, left: [] }, failed.get(unit)];
    return message === undefined ? { ...at, state: "done" } : { ...at, state: "failed", message };
  });
  const seconds = (performance.now() - begun) / 1000;
  return { schema: "tbar/sweep-run/1", kind: "sweep-run", recipe: recipe.name, store: spec.store, cells, ran, seconds };
}

export async function status(spec: StatusSpec): Promise<SweepStatusResult> {
  const { recipe, store, units } = await opened(spec);
  const cells: CellState[] = [];
  for (const unit of units) {
    const { left } = await follow(recipe, unit, { store });
    const message = left.length === 0 ? undefined : await failureOf(store, recipe, unit);
    const state = left.length === 0 ? "done" : message === undefined ? "left" : "failed";
    cells.push({ cell: unit.cell.name, seed: unit.seed.seed, state, left, ...(message !== undefined && { message }) });
  }
  return { schema: "tbar/sweep-status/1", kind: "sweep-status", recipe: recipe.name, store: spec.store, cells };
}

/** Checks each spec as far as it is known, counts what is left, and estimates it by what is stored or by the jobs' own plans. */
export async function plan(spec: RunSpec, context: Context): Promise<Estimate> {
  const { recipe, store, units } = await opened(spec);
  const followed: Followed[] = [];
  for (const unit of units) followed.push(await follow(recipe, unit, { store }));
  /** Equal steps of several cells are one. */
  const known = new Map(followed.flatMap(({ ready }) => ready.map((one) => [one.hash, one] as const)));
  const toRun = new Set(
    followed.flatMap(({ ready, left }) => {
      const ids = runFor(recipe, left);
      return ready.filter(({ step }) => ids.includes(step.id)).map(({ hash }) => hash);
    }),
  );
  let [memory, steps] = [0, 0];
  const parts: Estimate["parts"][number][] = [];
  const unknown: string[] = [];
  for (const { id } of recipe.steps) {
    const all = [...known.values()].filter(({ step }) => step.id === id);
    const left = all.filter(({ hash }) => toRun.has(hash));
    const later = followed.filter((one) => one.left.includes(id) && !one.ready.some(({ step }) => step.id === id));
    const count = left.length + later.length;
    steps += count;
    const seconds = all.map(({ result }) => result?.seconds).filter((value) => typeof value === "number");
    const mean = seconds.reduce((a, b) => a + b, 0) / seconds.length;
    let one = { seconds: mean, range: [0.7 * mean, 1.5 * mean] as readonly number[] };
    const first = left.find(({ needs, job }) => needs.length === 0 && job.plan !== undefined);
    if (seconds.length === 0 && first !== undefined) {
      context.progress.stage(`estimate ${id}`);
      const estimate = await planJob(first.job, first.spec, { signal: context.signal });
      [one, memory] = [estimate, Math.max(memory, estimate.memory.needed)];
    }
    const share = count / spec.jobs;
    if (count > 0 && Number.isNaN(one.seconds)) unknown.push(id);
    else if (count > 0) parts.push({ what: `${id}, ${count} times`, seconds: one.seconds * share, range: [one.range[0] * share, one.range[1] * share] }); // biome-ignore format: one line
  }
  const stored = [...known.values()].filter(({ result }) => result !== undefined).length;
  const basis = [
    `${units.length} cells and seeds: ${stored} results in the store, ${steps} steps to run.`,
    parts.length > 0 && "Times as stored results took, or as the first of each step is estimated.",
    unknown.length > 0 && `No time is known of: ${unknown.join(", ")}.`,
  ];
  return estimateOf({
    job: "sweep run",
    parts,
    memory: memory * spec.jobs,
    outputs: [],
    basis: basis.filter(Boolean).join(" "),
    advice: "fewer --jobs need less",
  });
}

export async function table(spec: z.output<typeof tableSpec>): Promise<SweepTableResult> {
  const { recipe, store } = await opened(spec);
  if (!isBucket(spec.store) && !(await isFolder(store.folder)))
    throw badInput(`there is no store ${printable(store.name)}: nothing was measured there`);
  const { name, title, reproduces, seeds, profile } = recipe;
  const command = `tbar sweep table ${name}${profile === undefined ? "" : ` --profile ${profile}`}`; // wherever the store lies
  const head = { schema: "tbar/sweep-table/1", kind: "sweep-table", command } as const;
  const about = { recipe: name, title, reproduces, seeds: seeds.map(({ seed }) => seed) };
  const result = { ...head, ...about, ...(await tableOf(recipe, store)) };
  if (result.rows.length === 0) throw badInput(`${spec.store} has no result of ${name}; tbar sweep run makes them`);
  const out = spec.out ?? join("results", "recipes", `${[name, profile].filter(Boolean).join("-")}.json`);
  if (spec.out === undefined) await makeFolder(dirname(out));
  await writeFileAtomic(out, tableJson(result), { force: true });
  if (spec.html !== undefined) await writeFileAtomic(spec.html, tableHtml(result), { force: true });
  return result;
}

/** A line for each row: what changes shows in a diff. */
function tableJson({ rows, ...head }: SweepTableResult): string {
  const lines = rows.map((row) => `  ${JSON.stringify(row)}`).join(",\n");
  return `${JSON.stringify(head, null, 1).replace(/\n}$/, "")},\n "rows": [\n${lines}\n ]\n}\n`;
}
