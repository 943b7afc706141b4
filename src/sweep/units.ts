/** A recipe worked out: each cell with each seed is a unit, whose steps are taken one after another as far as their results are there. */
import { join } from "node:path";
import { jobs as allJobs, type Listed } from "../jobs/index.ts";
import type { Job } from "../jobs/job.ts";
import { fieldsOf, parseSpec } from "../jobs/spec.ts";
import { type Address, addressOf, hashOf } from "../store/address.ts";
import type { Store } from "../store/store.ts";
import { badInput, TbarError } from "../tensor/error.ts";
import { termsOf } from "./check-recipe.ts";
import { type Cell, known, type Recipe, type Seed, type Step } from "./recipe.ts";
import { absence, isSo, NotThere, pathsIn, resolve, type Scope } from "./references.ts";

/** A cell with one seed. */
export interface Unit {
  readonly cell: Cell;
  readonly seed: Seed;
}

export const nameOf = ({ cell, seed }: Unit): string => `${cell.name}, seed ${seed.seed}`;

/** First seeds first: what is there after half the time is all cells with half the seeds. */
export function unitsOf({ seeds, cells, values }: Recipe, only: readonly string[] = []): readonly Unit[] {
  known("cell", only, cells.map(({ name }) => name)); // biome-ignore format: one line
  return seeds.flatMap((seed) =>
    cells
      .filter((cell) => (only.length === 0 || only.includes(cell.name)) && (cell.seeds?.includes(seed.seed) ?? true))
      .map((cell) => ({ seed, cell: resolve(cell, { seed, values }) as Cell })),
  );
}

/** A step of which everything is known that its job asks for. */
export interface Ready {
  readonly step: Step;
  readonly job: Job;
  /** Complete, but for what is the machine's. */
  readonly spec: Readonly<Record<string, unknown>>;
  readonly address: Address;
  readonly hash: string;
  /** Where its model goes, if a later step asks for it. */
  readonly out?: string;
  /** Earlier steps whose models it asks for. */
  readonly needs: readonly Ready[];
  readonly result?: Readonly<Record<string, unknown>>;
}

export interface Place {
  readonly store: Store;
  /** Folder of models on the way. */
  readonly models?: string;
  readonly jobs?: Readonly<Record<string, Listed>>;
}

export interface Followed {
  readonly ready: readonly Ready[];
  /** Steps whose results something refers to and that are not there. */
  readonly left: readonly string[];
  /** What figures refer to: cell, seed, values and the steps' results. */
  readonly scope: Scope;
}

/**
 * Takes the unit's steps one after another, with the results that the store has; where one is missing and wanted `perform` makes it, if
 * there is such a thing. Throws `bad-input` naming the step and the cell on a spec that its job refuses.
 */
export async function follow(
  recipe: Recipe,
  unit: Unit,
  { store, models = join(store.folder, "work"), jobs = allJobs }: Place,
  perform?: (ready: Ready) => Promise<Ready["result"]>,
): Promise<Followed> {
  const steps: Record<string, object> = {};
  const scope = { cell: unit.cell, seed: unit.seed, values: recipe.values, steps };
  const made = new Map<string, Ready>();
  const ready: Ready[] = [];
  const left: string[] = [];
  for (const [i, step] of recipe.steps.entries()) {
    const isWanted = isResultWanted(recipe, step.id);
    try {
      if (step.when !== undefined && !isSo(step.when, scope)) throw new NotThere("skipped");
      const asked = resolve(step.spec, scope) as Ready["spec"];
      known("job", [step.job], Object.keys(jobs));
      const job = await jobs[step.job].load();
      refuseOwn(job, asked);
      const isMaking = isModelWanted(recipe, step.id);
      const { out: _, ...spec } = parseSpec(job, { ...asked, ...(isMaking && { out: models }) }) as Ready["spec"]; // its name follows from the hash
      const hashes = new Map([...made].map(([path, { hash }]) => [path, hash]));
      const address = await addressOf(job, spec, hashes);
      const hash = hashOf(address);
      const out = isMaking ? join(models, hash) : undefined;
      const asking = modelsOf(step);
      const needs = ready.filter(({ step: { id } }) => asking.includes(id));
      const told: Ready = { step, job, spec, address, hash, needs, ...(out !== undefined && { out }) };
      const result = (await store.get(hash))?.result ?? (isWanted ? await perform?.(told) : undefined);
      if (result === undefined && isWanted) left.push(step.id);
      ready.push({ ...told, result });
      if (out !== undefined) made.set(out, told);
      steps[step.id] = { ...(result ?? { [absence]: "left" }), ...(out !== undefined && { out }) };
    } catch (error) {
      if (error instanceof NotThere) {
        steps[step.id] = { [absence]: error.absence };
        if (error.absence === "left" && isWanted) left.push(step.id);
        continue;
      }
      if (!(error instanceof TbarError)) throw error;
      const at = recipe.near(["steps", i, "spec"]);
      throw new TbarError(error.code, `${at}: step ${step.id} of ${nameOf(unit)}: ${error.message}`, { cause: error });
    }
  }
  return { ready, left, scope };
}

/** Where a step runs, writes and keeps its work is the sweep's to say. */
function refuseOwn(job: Job, asked: Ready["spec"]): void {
  const own = fieldsOf(job.spec).find(({ path: [first], flag }) => flag.machine && ["out", "force", "state"].includes(first) && first in asked); // biome-ignore format: one line
  if (own !== undefined)
    throw badInput(`${own.path[0]} is the sweep's own; \${steps.ID.out} stands for a model that step ID makes`);
}

/** Steps whose models the step asks for. */
const modelsOf = ({ spec }: Step): readonly string[] =>
  pathsIn(spec).filter((path) => path.endsWith(".out")).map((path) => path.split(".")[1]); // biome-ignore format: one line

/** The steps that are run for those that are left: themselves, and each that makes a model they ask for, from the last to the first. */
export function runFor({ steps }: Recipe, left: readonly string[]): readonly string[] {
  const run = new Set(left);
  for (const step of [...steps].reverse()) if (run.has(step.id)) for (const id of modelsOf(step)) run.add(id);
  return [...run];
}

/** Does anything refer to the model that this step makes? */
function isModelWanted({ steps }: Recipe, id: string): boolean {
  return steps.some(({ spec }) => pathsIn(spec).includes(`steps.${id}.out`));
}

/** Does anything refer to what this step measures? Of one that only makes a model nothing need be there when all else is. */
function isResultWanted({ steps, table }: Recipe, id: string): boolean {
  const isOwn = (path: string) => path.startsWith(`steps.${id}.`) && path !== `steps.${id}.out`;
  return (
    steps.some(({ spec, when = "" }) => pathsIn(spec).some(isOwn) || isOwn(when.trimStart())) ||
    table.figures.some((figure) => [...termsOf(figure), ...pathsIn(figure), figure.each ?? ""].some(isOwn))
  );
}
