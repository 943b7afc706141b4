/** The tables of docs/attacks.md and docs/defenses.md: what attacks and defenses say of themselves. */
import { existsSync } from "node:fs";
import { attacks } from "../src/attacks/index.ts";
import { defenses } from "../src/defenses/index.ts";
import { familyRecipe } from "../src/engine/family-recipe.ts";
import { cleanSpec } from "../src/jobs/clean/spec.ts";
import { costOf } from "../src/jobs/clean/stages.ts";

export type Leaves = "attacks" | "defenses";

export function leavesTable(which: Leaves): string {
  return which === "attacks" ? attackTable() : defenseTable();
}

const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [row(head), `|${"---|".repeat(head.length)}`, ...rows.map(row)].join("\n");
/** Its page. Throws where there is none. */
function page(which: Leaves, name: string): string {
  const path = `${which}/${name}.md`;
  if (!existsSync(`docs/${path}`)) throw new Error(`docs/${path} is missing: ${name} needs a page`);
  return `[\`${name}\`](${path})`;
}

function attackTable(): string {
  const rows = attacks.map(({ name, title, about, paper = "" }) => [page("attacks", name), title, about, paper]);
  return table(["attack", "as its paper spells it", "trigger", "paper"], rows);
}

/** The cost is that of the one defense alone, of the embedded model, with sizes as they are when none are given. */
function defenseTable(): string {
  const { sizes } = cleanSpec.parse({ model: "shapes-badnet", data: "shapes" });
  const { epochs } = familyRecipe("clean", "small");
  const count = (n: number) => n.toLocaleString("en-US");
  const rows = defenses.map((defense) => {
    const { trained, searches = 1 } = costOf(defense, { ...sizes, epochs }, [defense]);
    const { name, title, about, needs, control, paper = "" } = defense;
    const what = control ? `${about} (rival)` : about;
    return [page("defenses", name), title, what, needs.join(", "), count(trained), String(searches), paper];
  });
  return table(["defense", "title", "what it does", "needs", "images trained on", "searches", "paper"], rows);
}
