/** The forms of a table of results, as lines of Markdown. */
import type { Row as BenchRow, Run } from "../bench/results.ts";
import { points } from "../src/report/numbers.ts";
import { comparison } from "../src/report/variants.ts";
import type { SweepRow } from "../src/results/sweep.ts";

export type Row = Pick<BenchRow, "what" | "value" | "interval" | "bar" | "met"> &
  Partial<Pick<SweepRow, "published" | "seed" | "figure">>;
export type Rows = readonly Row[];

export interface Stored {
  readonly command: string;
  readonly runs: readonly Run[];
}

/** A line for each figure, a column for each machine; the first one's figures come first. */
export function sideBySide({ command, runs }: Stored, shown: (rows: Rows) => Rows): readonly string[] {
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

export function called(machine: Run["machine"]): string {
  const reference = machine.reference_s === null ? "" : `, reference time ${figure(machine.reference_s)} s`;
  return `${machine.cores} cores of ${kindOf(machine)}${reference}`;
}

export function long(rows: Rows): readonly string[] {
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
export function crossed(rows: Rows): readonly string[] {
  const split = means(rows);
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

/** Of cleanings: a line for each method with ASR after, CA retention and accuracy under the trigger of each thing, in percent, and what the method used, on the mean of the things. */
export function byMethod(rows: Rows): readonly string[] {
  const found = means(rows).flatMap((row) => {
    const [, figure, method] = /^(.*), ([\w-]+)$/.exec(row.at[1]) ?? [];
    return method === undefined ? [] : [{ value: row.value, thing: row.at[0], figure, method }];
  });
  const kinds = ["ASR after", "CA retention", "own label with the trigger on"] as const;
  const methods = [...new Set(found.filter(({ figure }) => figure === kinds[0]).map(({ method }) => method))];
  const things = [...new Set(found.map(({ thing }) => thing))];
  const others = [...kinds, ...beside] as readonly string[];
  const uses = [...new Set(found.map(({ figure }) => figure))].filter((name) => !others.includes(name));
  const of = (asked: string, kind: string) => found.filter(({ method, figure }) => method === asked && figure === kind);
  const lines = methods.map((method) => {
    const pairs = things.map((thing) =>
      kinds
        .map((kind) => of(method, kind).find((one) => one.thing === thing))
        .map((one) => (one === undefined ? "" : (100 * one.value).toFixed(1)))
        .join(" / "),
    );
    const used = uses.map((use) => {
      const values = of(method, use).map(({ value }) => value);
      return values.length === 0 ? "" : figure(Number((values.reduce((a, b) => a + b) / values.length).toPrecision(3)));
    });
    return `| ${[method, ...pairs, ...used].join(" | ")} |`;
  });
  const columns = [
    "ASR / CA kept / own label with the trigger on, %",
    ...things.map((thing) => thing.replace(/, mean of 1$/, "")),
    ...uses,
  ];
  return [`| ${columns.join(" | ")} |`, `|${"---|".repeat(columns.length)}`, ...lines];
}

/** Differences of each method to the best of TBAR's variants. */
const beside = ["CA less TBAR's best", "ASR less TBAR's best"] as const;

/** Of cleanings: a line for each method with its differences to TBAR's best in points, bold where the 95 % interval leaves out 0, and on how many things it is better, level, worse. */
export function besideTbar(rows: Rows): readonly string[] {
  const found = rows.flatMap(({ what, seed, value, interval }) => {
    const [, thing, name, method] = /^(.*?)(?:, seed \d+|, mean of \d+): (.*), ([\w-]+)$/.exec(what) ?? [];
    const kind = beside.find((one) => one === name);
    return kind === undefined ? [] : [{ thing, kind, method, seed, value, interval }];
  });
  const things = [...new Set(found.map(({ thing }) => thing))];
  const methods = [...new Set(found.map(({ method }) => method))];
  const lines = methods.map((method) => {
    const counts = { better: 0, level: 0, worse: 0, mixed: 0 };
    const cells = things.map((thing) => {
      const of = found.filter((one) => one.thing === thing && one.method === method);
      const seeds = new Set(of.flatMap(({ seed }) => seed ?? []));
      const [ca, asr] = beside.map((kind) => of.find((one) => one.kind === kind && (one.seed === undefined) === seeds.size > 1)); // biome-ignore format: one line
      if (ca === undefined || asr === undefined) return ""; // TBAR's best itself
      counts[comparison({ ca, asr })]++;
      return [ca, asr].map(({ value, interval: [low, high] }) => {
        const text = points(value);
        return low > 0 || high < 0 ? `**${text}**` : text;
      }).join(" / "); // biome-ignore format: one line
    });
    return `| ${[method, ...cells, counts.better, counts.level, counts.mixed, counts.worse].join(" | ")} |`;
  });
  const columns = ["CA / ASR, points to TBAR's best", ...things, "better", "level", "mixed", "worse"];
  return [`| ${columns.join(" | ")} |`, `|${"---|".repeat(columns.length)}`, ...lines];
}

/** Means alone, over as many seeds as the thing has: what they are of, and which figure. */
function means(rows: Rows) {
  const overOf = ({ what }: Row) => Number(/, mean of (\d+): /.exec(what)?.[1] ?? 1);
  const thing = ({ what }: Row) => what.split(/, mean of |: /)[0];
  const all = rows.filter(({ seed }) => seed === undefined);
  const most = all.filter((row) => all.every((other) => thing(other) !== thing(row) || overOf(other) <= overOf(row)));
  return most.map((row) => ({ ...row, at: row.what.split(/: (.*)/s) as string[] }));
}
