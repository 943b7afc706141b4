/**
 * What stands in README and docs from elsewhere, never typed. Run: npm run tables. A test fails when one is out of date.
 * - `<!-- results bench/NAME -->`: the rows of results/bench/NAME.json or results/recipes/NAME.json. `wide`: means over seeds, called `THING:
 *   FIGURE`, a line for each thing and a column for each figure; `by method`: of cleanings, a line for each method; `beside tbar`: the same, of differences to TBAR's best; `of plain`: figures of this defense alone; `only ASR before; ASR after`: the
 *   rows that begin so, or are of such a figure, in this order; long notes are left to the whole table.
 * - `<!-- leaves attacks -->`: what attacks or defenses say of themselves.
 * - `<!-- example NAME -->`: examples/NAME.ts.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SweepTableResult } from "../src/results/sweep.ts";
import { type Leaves, leavesTable } from "./leaves.ts";
import { besideTbar, byMethod, called, crossed, long, type Rows, type Stored, sideBySide } from "./table-forms.ts";

export const documents: readonly string[] = [
  "README.md",
  ...(existsSync("docs")
    ? readdirSync("docs", { encoding: "utf8", recursive: true }).map((name) => join("docs", name))
    : []
  ).filter((name) => name.endsWith(".md")),
];

const block =
  /(<!-- results ([\w/-]+)( wide| by method| beside tbar)?(?: of ([\w-]+))?(?: only (.+))? -->\n)[\s\S]*?(<!-- \/results -->)/g;
const leaves = /(<!-- leaves (attacks|defenses) -->\n)[\s\S]*?(<!-- \/leaves -->)/g;
const examples = /(<!-- example ([\w-]+) -->\n)[\s\S]*?(<!-- \/example -->)/g;

/** A document with every table built anew. */
export function withTables(text: string): string {
  return text
    .replace(block, (_, open: string, name: string, form?: string, of?: string, only?: string, close?: string) => {
      const shown = (rows: Rows) => {
        const ofOne = rows.filter(({ what }) => of === undefined || what.endsWith(`, ${of}`));
        return (
          only
            ?.split("; ")
            .flatMap((begin) => ofOne.filter(({ what, figure }) => what.startsWith(begin) || figure === begin)) ?? ofOne
        );
      };
      return `${open}${table(name, forms[form ?? ""], shown, only === undefined ? Number.POSITIVE_INFINITY : shortNote)}${close}`;
    })
    .replace(leaves, (_, open: string, which: Leaves, close: string) => `${open}\n${leavesTable(which)}\n\n${close}`)
    .replace(examples, (_, open: string, name: string, close: string) => {
      const program = readFileSync(`examples/${name}.ts`, "utf8");
      return `${open}\n\`\`\`ts\n${program}\`\`\`\n\n${close}`;
    });
}

const forms: Readonly<Record<string, (rows: Rows) => readonly string[]>> = {
  "": long,
  " wide": crossed,
  " by method": byMethod,
  " beside tbar": besideTbar,
};

/** Characters of a note that an excerpt has too. */
const shortNote = 200;

function table(
  name: string,
  lines: (rows: Rows) => readonly string[],
  shown: (rows: Rows) => Rows,
  longestNote: number,
): string {
  const path = join("results", `${name}.json`);
  if (!existsSync(path)) return `\nNot measured yet: ${path} is missing.\n\n`;
  const stored = JSON.parse(readFileSync(path, "utf8"));
  if (stored.runs?.length > 1) return ["", ...sideBySide(stored, shown), "", ""].join("\n");
  const { rows, foot } = measured(stored, longestNote);
  return ["", ...lines(shown(rows)), "", ...foot, "", ""].join("\n");
}

/** Rows, and how they came about. */
function measured(stored: SweepTableResult | Stored, longestNote: number) {
  if ("runs" in stored) {
    const [{ machine, rows, notes = [] }] = stored.runs;
    const foot = `\`${stored.command}\`; ${called(machine)}.`;
    return { rows: rows as Rows, foot: [[foot, ...notes.filter(({ length }) => length <= longestNote)].join(" ")] };
  }
  const { command, recipe, machines, versions, seeds, notes, rows, left } = stored;
  const made = `tbar ${versions.join(", ")}; ${machines.join(", ")}; seeds ${seeds.join(", ")}`;
  const missing = left > 0 ? ` ${left} cells and seeds are not measured yet.` : "";
  const foot = `\`${command}\` (recipes/${recipe}.yaml); ${made}.${missing}`;
  const sources = [...new Set(rows.flatMap(({ published }) => (published ? [`Published: ${published.source}.`] : [])))];
  return { rows: rows as Rows, foot: [[foot, ...notes, ...sources].join(" ")] };
}

if (process.argv[1]?.endsWith("tables.ts")) {
  for (const document of documents) {
    const before = readFileSync(document, "utf8");
    const after = withTables(before);
    if (after !== before) writeFileSync(document, after);
    console.log(`${after === before ? "unchanged" : "rebuilt  "} ${document}`);
  }
}
