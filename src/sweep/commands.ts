/** The work of tbar sweep run, status and table. */
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { z } from "zod";
import { writeFileAtomic } from "../files/atomic.ts";
import type { Context } from "../jobs/context.ts";
import { type Estimate, estimateOf } from "../jobs/progress/estimate.ts";
import { planJob } from "../jobs/run-job.ts";
import type { CellState, SweepRunResult, SweepStatusResult, SweepTableResult } from "../results/sweep.ts";
import { openStore } from "../store/store.ts";
import { failureOf } from "./failures.ts";
import { tableHtml } from "./html.ts";
import { readRecipe } from "./recipe.ts";
import { runSweep } from "./run.ts";
import type { runSpec, statusSpec, tableSpec } from "./specs.ts";
import { tableOf } from "./table.ts";
import { follow, type Ready, unitsOf } from "./units.ts";

type RunSpec = z.output<typeof runSpec>;
type StatusSpec = z.output<typeof statusSpec>;

async function opened(spec: Pick<StatusSpec, "recipe" | "store" | "profile" | "set"> & Partial<StatusSpec>) {
  const recipe = await readRecipe(spec.recipe, spec);
  return { recipe, store: openStore(spec.store), units: unitsOf(recipe, spec.only) };
}

export async function run(spec: RunSpec, context: Context): Promise<SweepRunResult> {
  const begun = performance.now();
  const { recipe, store, units } = await opened(spec);
  const { ran, units: swept } = await runSweep(recipe, { units, store, workers: spec.jobs }, context);
  const cells = swept.map(({ unit: { cell, seed }, failed }): CellState => {
    const at = { cell: cell.name, seed: seed.seed, left: [] };
    return failed === undefined ? { ...at, state: "done" } : { ...at, state: "failed", message: failed };
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
  const left = new Map<string, { hashes: Set<string>; count: number; first?: Ready; seconds: number[] }>();
  let stored = 0;
  for (const unit of units) {
    const followed = await follow(recipe, unit, { store });
    for (const { id } of recipe.steps) {
      const known = left.get(id) ?? { hashes: new Set(), count: 0, seconds: [] };
      left.set(id, known);
      const ready = followed.ready.find(({ step }) => step.id === id);
      if (typeof ready?.result?.seconds === "number") known.seconds.push(ready.result.seconds);
      if (ready?.result !== undefined) stored += 1;
      if (!followed.left.includes(id) || (ready !== undefined && known.hashes.has(ready.hash))) continue;
      known.count += 1;
      if (ready !== undefined) known.hashes.add(ready.hash);
      if (ready?.needs.length === 0) known.first ??= ready;
    }
  }
  let memory = 0;
  const parts: Estimate["parts"][number][] = [];
  const unknown: string[] = [];
  for (const [id, { count, first, seconds }] of left) {
    if (count === 0) continue;
    let one = seconds.length > 0 ? seconds.reduce((a, b) => a + b, 0) / seconds.length : undefined;
    let range = one === undefined ? undefined : ([0.7 * one, 1.5 * one] as const);
    if (one === undefined && first?.job.plan !== undefined) {
      context.progress.stage(`estimate ${id}`);
      const estimate = await planJob(first.job, first.spec, { signal: context.signal });
      [one, range, memory] = [estimate.seconds, estimate.range, Math.max(memory, estimate.memory.needed)];
    }
    if (one === undefined || range === undefined) unknown.push(id);
    else parts.push({ what: `${id}, ${count} times`, seconds: (one * count) / spec.jobs, range: [(range[0] * count) / spec.jobs, (range[1] * count) / spec.jobs] }); // biome-ignore format: one line
  }
  const steps = [...left.values()].reduce((sum, { count }) => sum + count, 0);
  const note = [
    `${units.length} cells and seeds: ${stored} steps in the store, ${steps} to run.`,
    parts.length > 0 && "Times as stored results took, or as the first of each step is estimated.",
    unknown.length > 0 && `No time is known of: ${unknown.join(", ")}.`,
  ];
  return estimateOf({
    job: "sweep run",
    parts,
    memory: memory * spec.jobs,
    outputs: [],
    basis: note.filter(Boolean).join(" "),
    advice: "fewer --jobs need less",
  });
}

export async function table(spec: z.output<typeof tableSpec>): Promise<SweepTableResult> {
  const { recipe, store } = await opened(spec);
  const { name, title, reproduces, seeds, profile } = recipe;
  const command = `tbar sweep table ${name}${profile === undefined ? "" : ` --profile ${profile}`}`; // wherever the store lies
  const head = { schema: "tbar/sweep-table/1", kind: "sweep-table", command } as const;
  const about = { recipe: name, title, reproduces, seeds: seeds.map(({ seed }) => seed) };
  const result = { ...head, ...about, ...(await tableOf(recipe, store)) };
  const out = spec.out ?? join("results", "recipes", `${[name, profile].filter(Boolean).join("-")}.json`);
  if (spec.out === undefined) await mkdir(dirname(out), { recursive: true });
  await writeFileAtomic(out, tableJson(result), { force: true });
  if (spec.html !== undefined) await writeFileAtomic(spec.html, tableHtml(result), { force: true });
  return result;
}

/** A line for each row: what changes shows in a diff. */
function tableJson({ rows, ...head }: SweepTableResult): string {
  const lines = rows.map((row) => `  ${JSON.stringify(row)}`).join(",\n");
  return `${JSON.stringify(head, null, 1).replace(/\n}$/, "")},\n "rows": [\n${lines}\n ]\n}\n`;
}
