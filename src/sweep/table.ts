/** What a sweep measured, as rows: each figure of each cell, by seed and as the mean over seeds, beside what was published. */
import type { SweepRow } from "../results/sweep.ts";
import { bootstrapMean, drawRate, type Sampled, type Source } from "../stats/bootstrap.ts";
import { z95 } from "../stats/rate.ts";
import type { Store } from "../store/store.ts";
import { random } from "../tensor/random.ts";
import type { Figure, Recipe, Term } from "./recipe.ts";
import { holds, lookUp, NotThere, parseComparison, resolve, type Scope } from "./references.ts";
import { follow, type Place, type Unit, unitsOf } from "./units.ts";

export interface Table {
  readonly rows: readonly SweepRow[];
  /** Units with a step that is not there. */
  readonly left: number;
  /** The machines, versions and notes of the results. */
  readonly machines: readonly string[];
  readonly versions: readonly string[];
  readonly notes: readonly string[];
}

/** Throws `bad-input` on a path that leads nowhere. */
export async function tableOf(recipe: Recipe, store: Store, jobs?: Place["jobs"]): Promise<Table> {
  const seen: Seen[] = [];
  const [machines, versions, notes] = [new Set<string>(), new Set<string>(), new Set<string>()];
  let left = 0;
  for (const unit of unitsOf(recipe)) {
    const followed = await follow(recipe, unit, { store, ...(jobs && { jobs }) });
    seen.push({ unit, scope: followed.scope });
    if (followed.left.length > 0) left += 1;
    for (const { hash, result } of followed.ready) {
      if (result === undefined) continue;
      const { machine, tbar } = result as { machine?: { cores: number; processor: string }; tbar?: string };
      if (machine !== undefined) machines.add(`${machine.cores} cores of ${machine.processor}`);
      if (tbar !== undefined) versions.add(tbar);
      const note = (await store.get(hash))?.note;
      if (note !== undefined) notes.add(note);
    }
  }
  const rows = recipe.cells.flatMap(({ name }) => {
    const own = seen.filter(({ unit }) => unit.cell.name === name);
    return cellRows(recipe, own);
  });
  return { rows, left, machines: [...machines], versions: [...versions], notes: [...notes] };
}

interface Seen {
  readonly unit: Unit;
  readonly scope: Scope;
}

/** First each seed with all figures, then their means. */
function cellRows(recipe: Recipe, seen: readonly Seen[]): readonly SweepRow[] {
  if (seen.length === 0) return [];
  const { cell } = seen[0].unit;
  const label = String(cell.label ?? cell.name);
  const figures = recipe.table.figures
    .filter(({ cells }) => cells?.includes(cell.name) ?? true)
    .flatMap((figure) => eachOf(figure, seen))
    .map(({ figure, key }) => ({ figure, samples: seen.flatMap((one) => sampleOf(figure, key, one)) }))
    .filter(({ samples }) => samples.length > 0);
  const bySeed = seen.flatMap(({ unit: { seed } }) =>
    figures.flatMap(({ figure, samples }) =>
      samples
        .filter((sample) => sample.seed === seed.seed)
        .map(({ sampled, interval, scope }) => {
          const name = String(resolve(figure.name, scope));
          const what = `${label}, seed ${seed.seed}: ${resolve(figure.seeds?.name ?? name, scope)}`;
          const row = { what, cell: cell.name, figure: name, seed: seed.seed, value: sampled.value, interval };
          return {
            ...row,
            ...judged(sampled.value, figure.seeds === undefined ? figure.pass : figure.seeds.pass, scope),
          };
        }),
    ),
  );
  const means = figures.map(({ figure, samples }) => {
    const { scope } = samples[0];
    const name = String(resolve(figure.name, scope));
    const { value: mean, interval } = bootstrapMean(samples.map(({ sampled }) => sampled), random(1, "bootstrap", name)); // biome-ignore format: one line
    const value = tidy(mean);
    const found = recipe.published.find((one) => one.cell === cell.name && one.figure === name);
    const published = found && { value: found.value, source: found.source, difference: tidy(value - found.value) };
    const what = `${label}, mean of ${samples.length}: ${name}`;
    const row = { what, cell: cell.name, figure: name, value, interval, ...judged(value, figure.pass, scope) };
    return { ...row, ...(published && { published }) };
  });
  return [...bySeed, ...means];
}

/** The figure once for each key that any seed has; or once. */
function eachOf(figure: Figure, seen: readonly Seen[]): readonly { readonly figure: Figure; readonly key?: string }[] {
  const { each } = figure;
  if (each === undefined) return [{ figure }];
  const keys = seen.flatMap(({ scope }) => Object.keys((there(() => lookUp(each, scope)) as object | undefined) ?? {}));
  return [...new Set(keys)].map((key) => ({ figure, key }));
}

/** The figure of one seed, with the scope in which its name and its bar are said; nothing where its results are not there. */
function sampleOf(figure: Figure, key: string | undefined, { unit, scope: outer }: Seen) {
  return (
    there(() => {
      const all = key === undefined ? {} : (lookUp(figure.each!, outer) as Record<string, unknown>);
      if (key !== undefined && !Object.hasOwn(all, key)) return [];
      const scope = key === undefined ? outer : { ...outer, each: { key, value: all[key] } };
      const { value, interval } = there(() => withInterval(figure, scope)) ?? withInterval(figure.or ?? figure, scope);
      return [{ seed: unit.seed.seed, sampled: value, interval, scope }];
    }) ?? []
  );
}

function there<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof NotThere) return undefined;
    throw error;
  }
}

function judged(value: number, pass: string | undefined, scope: Scope): Pick<SweepRow, "bar" | "met"> {
  const text = pass === undefined ? undefined : resolve(pass, scope);
  if (text === undefined) return { bar: null, met: null };
  const bar = parseComparison(String(text));
  return { bar, met: holds(value, bar) };
}

/** With the interval that stands beside it, such as that of CA after and before on the same images; older results have none. */
function withInterval(figure: Omit<Figure, "name">, scope: Scope): Measured {
  const found = figure.interval === undefined ? undefined : lookUp(figure.interval, scope, true);
  const known = figureOf(figure, scope);
  if (!Array.isArray(found)) return known;
  const interval = [Number(found[0]), Number(found[1])] as const;
  const { value } = known.value;
  return { value: { value, draw: spread(value, interval) }, interval };
}

/** (value - minus) / over. The interval of one term alone is its own; of several, that of draws of all, as if each had images of its own. */
function figureOf({ value, minus, over }: { value: Term; minus?: Term; over?: Term }, scope: Scope): Measured {
  if (minus === undefined && over === undefined) return termOf(value, scope);
  const [a, b, c] = [value, minus ?? 0, over ?? 1].map((term) => termOf(term, scope).value);
  const draw = (from: Source) => (drawn(a, from) - drawn(b, from)) / drawn(c, from);
  const sampled: Sampled = { value: tidy((a.value - b.value) / c.value), draw };
  const { interval } = bootstrapMean([sampled], random(1, "bootstrap"));
  return { value: sampled, interval };
}

const drawn = ({ value, draw }: Sampled, from: Source) => draw?.(from) ?? value;
/** Without the last digits of floating point. */
const tidy = (value: number) => Number(value.toPrecision(12));

interface Measured {
  readonly value: Sampled;
  readonly interval: readonly [number, number];
}

function termOf(term: Term, scope: Scope): Measured {
  if (typeof term === "object") return figureOf(term, scope);
  const found = typeof term === "number" ? term : foundAt(term, scope);
  if (typeof found === "number" || typeof found === "boolean") {
    const value = tidy(Number(found));
    return { value: { value }, interval: [value, value] };
  }
  const { value, n, interval, paired } = found as {
    value: number;
    n?: number;
    interval?: [number, number];
    paired?: boolean;
  };
  if (interval === undefined) return { value: { value }, interval: [value, value] };
  const isRate = n !== undefined && paired === undefined;
  return {
    value: { value, draw: isRate ? (from) => drawRate({ value, n }, from) : spread(value, interval) },
    interval,
  };
}

/** What the path leads to. One that ends with a question mark may lead nowhere: then there is no figure. */
function foundAt(path: string, scope: Scope): unknown {
  const found = path.endsWith("?") ? lookUp(path.slice(0, -1), scope, true) : lookUp(path, scope);
  if (found === undefined) throw new NotThere("skipped");
  return found;
}

/** A normal on either side, as wide as the interval there. */
function spread(value: number, [low, high]: readonly [number, number]): Sampled["draw"] {
  return (from) => {
    const z = from.normal() / z95;
    return value + z * (z < 0 ? value - low : high - value);
  };
}
