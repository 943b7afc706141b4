/**
 * The tables of README and docs are built from results/*.json, never typed: each stands between
 * `<!-- results NAME -->` and `<!-- /results -->`; with `<!-- results NAME wide -->` rows called `THING: FIGURE` make a line for each
 * thing and a column for each figure. Run: npm run tables. A test fails when one is out of date.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface Results {
  readonly command: string;
  readonly commit: string;
  readonly machine: { readonly processor: string; readonly cores: number; readonly yardstick_s: number | null };
  readonly seeds: readonly number[];
  readonly rows: readonly {
    readonly what: string;
    readonly value: number;
    readonly interval: readonly [number, number];
    readonly bar: { readonly op: string; readonly limit: number } | null;
    readonly met: boolean | null;
  }[];
}

export const documents: readonly string[] = [
  "README.md",
  ...(existsSync("docs")
    ? readdirSync("docs", { encoding: "utf8", recursive: true }).map((name) => join("docs", name))
    : []
  ).filter((name) => name.endsWith(".md")),
];

const block = /(<!-- results ([\w-]+)( wide)? -->\n)[\s\S]*?(<!-- \/results -->)/g;

/** A document with every table built anew. */
export function withTables(text: string): string {
  return text.replace(
    block,
    (_, open: string, name: string, wide: string | undefined, close: string) =>
      `${open}${table(name, wide === undefined ? long : crossed)}${close}`,
  );
}

type Rows = Results["rows"];

function table(name: string, lines: (rows: Rows) => readonly string[]): string {
  const path = join("results", `${name}.json`);
  if (!existsSync(path)) return `\nNot measured yet: ${path} is missing.\n\n`;
  const { command, machine, rows } = JSON.parse(readFileSync(path, "utf8")) as Results;
  const yardstick = machine.yardstick_s === null ? "" : `, yardstick ${figure(machine.yardstick_s)} s`;
  return [
    "",
    ...lines(rows),
    "",
    `\`${command}\`; ${machine.cores} cores of ${machine.processor}${yardstick}.`,
    "",
    "",
  ].join("\n");
}

function long(rows: Rows): readonly string[] {
  const lines = rows.map(({ what, value, interval, bar, met }) => {
    const range = interval[0] === interval[1] ? "" : `${figure(interval[0])} to ${figure(interval[1])}`;
    const wanted = bar === null ? "" : `${bar.op === "<=" ? "at most" : "at least"} ${figure(bar.limit)}`;
    return `| ${what.replaceAll("|", "\\|")} | ${figure(value)} | ${range} | ${wanted} | ${met === null ? "" : met ? "yes" : "**no**"} |`;
  });
  return ["| what | value | 95 % interval | wanted | met |", "|---|---|---|---|---|", ...lines];
}

/** Beside a figure stands what was wanted; one that misses it is bold. */
function crossed(rows: Rows): readonly string[] {
  const split = rows.map((row) => ({ ...row, at: row.what.split(": ") as [string, string] }));
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
