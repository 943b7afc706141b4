/**
 * What stands in README and docs from elsewhere, never typed. Run: npm run tables. A test fails when one is out of date.
 * - `<!-- results bench/NAME -->`: the rows of results/bench/NAME.json or results/recipes/NAME.json. `wide`: means over seeds, called `THING:
 *   FIGURE`, a line for each thing and a column for each figure; `of plain`: figures of this defense alone; `only ASR before; ASR after`: the
 *   rows that begin so, in this order.
 * - `<!-- leaves attacks -->`: what attacks or defenses say of themselves.
 * - `<!-- example NAME -->`: examples/NAME.ts.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Row as BenchRow, Run } from "../bench/results.ts";
import type { SweepRow, SweepTableResult } from "../src/results/sweep.ts";
import { type Leaves, leavesTable } from "./leaves.ts";

type Row = Pick<BenchRow, "what" | "value" | "interval" | "bar" | "met"> & Pick<SweepRow, "published" | "seed">;
type Rows = readonly Row[];

export const documents: readonly string[] = [
  "README.md",
  ...(existsSync("docs")
    ? readdirSync("docs", { encoding: "utf8", recursive: true }).map((name) => join("docs", name))
    : []
  ).filter((name) => name.endsWith(".md")),
];

const block = /(<!-- results ([\w/-]+)( wide)?(?: of ([\w-]+))?(?: only (.+))? -->\n)[\s\S]*?(<!-- \/results -->)/g;
const leaves = /(<!-- leaves (attacks|defenses) -->\n)[\s\S]*?(<!-- \/leaves -->)/g;
const examples = /(<!-- example ([\w-]+) -->\n)[\s\S]*?(<!-- \/example -->)/g;

/** A document with every table built anew. */
export function withTables(text: string): string {
  return text
    .replace(block, (_, open: string, name: string, wide?: string, of?: string, only?: string, close?: string) => {
      const shown = (rows: Rows) => {
        const ofOne = rows.filter(({ what }) => of === undefined || what.endsWith(`, ${of}`));
        return only?.split("; ").flatMap((begin) => ofOne.filter(({ what }) => what.startsWith(begin))) ?? ofOne;
      };
      return `${open}${table(name, wide === undefined ? long : crossed, shown)}${close}`;
    })
    .replace(leaves, (_, open: string, which: Leaves, close: string) => `${open}\n${leavesTable(which)}\n\n${close}`)
    .replace(examples, (_, open: string, name: string, close: string) => {
      const program = readFileSync(`examples/${name}.ts`, "utf8");
      return `${open}\n\`\`\`ts\n${program}\`\`\`\n\n${close}`;
    });
}

function table(name: string, lines: (rows: Rows) => readonly string[], shown: (rows: Rows) => Rows): string {
  const path = join("results", `${name}.json`);
  if (!existsSync(path)) return `\nNot measured yet: ${path} is missing.\n\n`;
  const stored = JSON.parse(readFileSync(path, "utf8"));
  if (stored.runs?.length > 1) return ["", ...sideBySide(stored, shown), "", ""].join("\n");
  const { rows, foot } = measured(stored);
  return ["", ...lines(shown(rows)), "", ...foot, "", ""].join("\n");
}

interface Stored {
  readonly command: string;
  readonly runs: readonly Run[];
}

/** A line for each figure, a column for each machine; the first one's figures come first. */
function sideBySide({ command, runs }: Stored, shown: (rows: Rows) => Rows): readonly string[] {
  const found = runs.map(({ rows }) => new Map(shown(rows).map((row) => [row.what, row])));
  const names = [...new Set(found.flatMap((of) => [...of.keys()]))];
  const lines = names.map((name) => {
    const { bar } = found.flatMap((of) => of.get(name) ?? [])[0];
    const values = found.map((of) => {
      const row = of.get(name);
      if (row === undefined) return "";
      const { value, interval } = row;
      const range = interval[0] === interval[1] ? "" : ` (${figure(interval[0])} to ${figure(interval[1])})`;
      return bar !== null && !passes(value, bar) ? `**${figure(value)}**${range}` : `${figure(value)}${range}`;
    });
    return `| ${[name.replaceAll("|", "\\|"), ...values, bar === null ? "" : `${words[bar.op]} ${figure(bar.limit)}`].join(" | ")} |`;
  });
  const notes = [...new Set(runs.flatMap(({ notes = [] }) => notes))];
  return [
    `| what | ${runs.map(({ machine }) => kindOf(machine)).join(" | ")} | target |`,
    `|---|${"---|".repeat(runs.length + 1)}`,
    ...lines,
    "",
    [
      `\`${command}\`; 95 % intervals. Machines: ${runs.map(({ machine }) => called(machine)).join("; ")}.`,
      ...notes,
    ].join(" "),
  ];
}

const kindOf = ({ processor, vectors }: Run["machine"]) =>
  vectors === undefined ? processor : `${processor}, ${vectors}`;

function called(machine: Run["machine"]): string {
  const reference = machine.reference_s === null ? "" : `, reference time ${figure(machine.reference_s)} s`;
  return `${machine.cores} cores of ${kindOf(machine)}${reference}`;
}

/** Rows, and how they came about. */
function measured(stored: SweepTableResult | Stored) {
  if ("runs" in stored) {
    const [{ machine, rows, notes = [] }] = stored.runs;
    const foot = `\`${stored.command}\`; ${called(machine)}.`;
    return { rows: rows as Rows, foot: [[foot, ...notes].join(" ")] };
  }
  const { recipe, machines, versions, seeds, notes, rows, left } = stored;
  const made = `tbar ${versions.join(", ")}; ${machines.join(", ")}; seeds ${seeds.join(", ")}`;
  const missing = left > 0 ? ` ${left} cells and seeds are not measured yet.` : "";
  const foot = `\`tbar sweep table ${recipe}\` (recipes/${recipe}.yaml); ${made}.${missing}`;
  const sources = [...new Set(rows.flatMap(({ published }) => (published ? [`Published: ${published.source}.`] : [])))];
  return { rows: rows as Rows, foot: [[foot, ...notes, ...sources].join(" ")] };
}

function long(rows: Rows): readonly string[] {
  const hasPublished = rows.some(({ published }) => published !== undefined);
  const lines = rows.map(({ what, value, interval, bar, met, published }) => {
    const range = interval[0] === interval[1] ? "" : `${figure(interval[0])} to ${figure(interval[1])}`;
    const target = bar === null ? "" : `${words[bar.op] ?? bar.op} ${figure(bar.limit)}`;
    const beside = published ? `${figure(published.value)} | ${signed(published.difference)}` : " | ";
    const cells = [
      what.replaceAll("|", "\\|"),
      figure(value),
      range,
      target,
      met === null ? "" : met ? "yes" : "**no**",
    ];
    return `| ${[...cells, ...(hasPublished ? [beside] : [])].join(" | ")} |`;
  });
  const head = [
    "what",
    "value",
    "95 % interval",
    "target",
    "pass",
    ...(hasPublished ? ["published", "difference"] : []),
  ];
  return [`| ${head.join(" | ")} |`, `|${"---|".repeat(head.length)}`, ...lines];
}

const passes = (value: number, { op, limit }: { readonly op: string; readonly limit: number }) =>
  op === "<=" ? value <= limit : value >= limit;

const words: Readonly<Record<string, string>> = { "<=": "at most", ">=": "at least" };
const signed = (value: number) => (value > 0 ? `+${figure(value)}` : figure(value));

/** Means alone, over as many seeds as the thing has. Beside a figure stands its target; one that misses it is bold. */
function crossed(rows: Rows): readonly string[] {
  const overOf = ({ what }: Row) => Number(/, mean of (\d+): /.exec(what)?.[1] ?? 1);
  const thing = ({ what }: Row) => what.split(/, mean of |: /)[0];
  const all = rows.filter(({ seed }) => seed === undefined);
  const means = all.filter((row) => all.every((other) => thing(other) !== thing(row) || overOf(other) <= overOf(row)));
  const split = means.map((row) => ({ ...row, at: row.what.split(/: (.*)/s) as string[] }));
  const things = [...new Set(split.map(({ at }) => at[0]))];
  const figures = [...new Set(split.map(({ at }) => at[1]))];
  const cell = (thing: string, name: string) => {
    const found = split.find(({ at }) => at[0] === thing && at[1] === name);
    if (found === undefined) return "";
    const { value, bar, met } = found;
    const text = met === false ? `**${figure(value)}**` : figure(value);
    return bar === null ? text : `${text} (${bar.op} ${figure(bar.limit)})`;
  };
  return [
    `| | ${figures.join(" | ")} |`,
    `|---|${"---|".repeat(figures.length)}`,
    ...things.map((thing) => `| ${thing} | ${figures.map((name) => cell(thing, name)).join(" | ")} |`),
  ];
}

function figure(value: number): string {
  if (Number.isInteger(value)) return String(value);
  if (Math.abs(value) >= 100) return value.toFixed(0);
  const rounded = Number(value.toPrecision(3));
  return Math.abs(value) < 1e-3 ? rounded.toExponential() : rounded.toString();
}

if (process.argv[1]?.endsWith("tables.ts")) {
  for (const document of documents) {
    const before = readFileSync(document, "utf8");
    const after = withTables(before);
    if (after !== before) writeFileSync(document, after);
    console.log(`${after === before ? "unchanged" : "rebuilt  "} ${document}`);
  }
}
