/** What a recipe's shape alone does not say: names that stand twice or nowhere, figures that lead to no step. */
import { badInput, unknownName } from "../tensor/error.ts";
import type { Recipe, Term } from "./recipe-schema.ts";
import { parseComparison, pathsIn } from "./references.ts";

/** Throws `bad-input` with line and column. */
export function checkRecipe({ cells, seeds, steps, table, near }: Recipe): void {
  const twice = repeated([...cells.map(({ name }) => name), ...steps.map(({ id }) => id)]);
  if (twice !== undefined) throw badInput(`${near(["cells"])}: "${twice}" names two cells or steps`);
  const seed = repeated(seeds.map(({ seed }) => seed));
  if (seed !== undefined)
    throw badInput(`${near(["seeds"])}: seed ${seed} stands twice, and a mean would count it twice`);
  const ids = steps.map(({ id }) => id);
  for (const [i, figure] of table.figures.entries()) {
    const { name, each, interval, or, pass, seeds: bySeed } = figure;
    const roots = ["cell", "seed", "values", "steps", ...(each === undefined ? [] : ["each"])];
    const paths = [...termsOf(figure), ...pathsIn([name, pass, bySeed]), ...termsOf(or), ...[each, interval, or?.interval].filter((path) => path !== undefined)]; // biome-ignore format: one line
    const at = near(["table", "figures", i]);
    for (const [root, id] of paths.map((path) => path.split("."))) {
      if (!roots.includes(root)) throw placed(at, unknownName("reference", root, roots));
      if (root === "steps" && !ids.includes(id)) throw placed(at, unknownName("reference in steps", `${id}`, ids));
    }
    for (const bar of [pass, bySeed?.pass]) {
      if (bar === undefined || pathsIn(bar).length > 0) continue;
      try {
        parseComparison(bar);
      } catch (error) {
        throw placed(at, error as Error);
      }
    }
  }
}

const placed = (place: string, error: Error) => badInput(`${place}: ${error.message}`, error);

function repeated<T>(names: readonly T[]): T | undefined {
  const seen = new Set<T>();
  return names.find((name) => seen.size === seen.add(name).size);
}

/** The paths of a figure's terms. */
export function termsOf(term: Term | undefined): readonly string[] {
  if (typeof term === "object") return [term.value, term.minus, term.over].flatMap(termsOf);
  return typeof term === "string" ? [term] : [];
}
