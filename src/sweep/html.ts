/** A recipe's table as one page: a panel for each figure, with a line for each cell: its interval, its mean, every seed as a dot. */
import { type Html, html, Html as Raw } from "../report/html.ts";
import { section } from "../report/page.ts";
import { style } from "../report/style.ts";
import type { SweepRow, SweepTableResult } from "../results/sweep.ts";

/** Of a panel: names to the left of its dots, figures to their right. */
const [width, left, right, line] = [1040, 170, 400, 26];

/** The whole page; the same result gives the same bytes. */
export function tableHtml({
  title,
  reproduces,
  rows,
  seeds,
  machines,
  versions,
  notes,
  command,
  left,
}: SweepTableResult): string {
  const means = rows.filter(({ seed }) => seed === undefined);
  const figures = [...new Set(means.map(({ figure }) => figure))];
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${new Raw(`${style}${ownStyle}`)}</style>
</head>
<body>
<h1>${title}</h1>
<p class="lead">${reproduces}</p>
<p class="lead">Dots are seeds (${seeds.join(", ")}), the stroke is their mean, the line its 95 % interval; dashed is what was to be reached${means.some(({ published }) => published) && ", a diamond what was published, with the difference of ours beside it"}.${left > 0 && ` Not all is measured yet: ${left} cells and seeds are left.`}</p>
${figures.map((figure) =>
  section(
    figure,
    undefined,
    panel(
      means.filter((row) => row.figure === figure),
      rows,
    ),
  ),
)}
${[...new Set(means.flatMap(({ published }) => (published ? [published.source] : [])))].map((source) => html`<p class="lead">Published: ${source}</p>`)}
<footer>${command !== "" && html`<code>${command}</code>; `}${machines.join("; ")}; tbar ${versions.join(", ")}. ${notes.join(" ")}</footer>
</body>
</html>
`.text;
}

const ownStyle = `
.panel { width: 100%; height: auto; background: var(--card); border-radius: 10px; }
.panel text { font: 12px var(--sans); fill: var(--ink); }
.panel .tick { fill: var(--soft); }
.panel .grid { stroke: var(--line); }
.panel .interval { stroke: var(--ca); stroke-width: 2; }
.panel .mean { stroke: var(--ca); stroke-width: 3; }
.panel circle { fill: var(--card); stroke: var(--ca); stroke-width: 1.5; }
.panel .bar { stroke: var(--good); stroke-width: 1.5; stroke-dasharray: 3 3; }
.panel .missed { stroke: var(--bad); }
.panel .published { fill: var(--asr); }
`;

/** The rows of single seeds that a mean is made of. */
export function seedsOf(mean: SweepRow, rows: readonly SweepRow[]): readonly SweepRow[] {
  return rows.filter((row) => row.seed !== undefined && row.cell === mean.cell && row.figure === mean.figure);
}

function panel(means: readonly SweepRow[], rows: readonly SweepRow[]): Html {
  const shown = means.flatMap((mean) => [
    mean.value,
    ...mean.interval,
    ...(mean.bar ? [mean.bar.limit] : []),
    ...(mean.published ? [mean.published.value] : []),
    ...seedsOf(mean, rows).map(({ value }) => value), // biome-ignore format: one line
  ]);
  const [low, high] = [Math.min(...shown), Math.max(...shown)];
  const spread = high - low || Math.abs(high) || 1;
  const x = (value: number) =>
    Math.round(10 * (left + ((value - low + 0.04 * spread) / (1.08 * spread)) * (width - left - right))) / 10;
  const height = means.length * line + 40;
  const step = [1, 2, 5, 10]
    .map((one) => one * 10 ** Math.floor(Math.log10(spread / 5)))
    .find((one) => one >= spread / 6) as number;
  const first = Math.ceil(low / step);
  const ticks = Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
  return html`<svg class="panel" viewBox="0 0 ${width} ${height}" role="img" aria-label="${means[0].figure}">
${ticks.map(
  (
    tick,
  ) => html`<line class="grid" x1="${x(tick)}" x2="${x(tick)}" y1="8" y2="${height - 26}"/><text class="tick" x="${x(tick)}" y="${height - 10}" text-anchor="middle">${figureText(tick)}</text>
`,
)}${means.map((mean, i) => oneLine(mean, seedsOf(mean, rows), 8 + (i + 0.5) * line, x))}</svg>
`;
}

function oneLine(mean: SweepRow, seeds: readonly SweepRow[], y: number, x: (value: number) => number): Html {
  const { interval, value, bar, met, published, cell } = mean;
  const [from, to] = interval.map(x);
  const at = published && x(published.value);
  const said = [
    `${figureText(value)} (${interval.map(figureText).join(" to ")})`,
    bar !== null && `${bar.op} ${bar.limit} ${met ? "pass" : "missed"}`,
    published && `published ${figureText(published.value)}, ${signed(published.difference)}`,
  ];
  return html`<text x="${left - 14}" y="${y}" dy="0.32em" text-anchor="end">${cell}</text>
<text x="${width - right + 20}" y="${y}" dy="0.32em">${said.filter(Boolean).join("; ")}</text>
<line class="interval" x1="${from}" x2="${to}" y1="${y}" y2="${y}"/><line class="mean" x1="${x(value)}" x2="${x(value)}" y1="${y - 7}" y2="${y + 7}"/>
${bar !== null && html`<line class="bar${met === false && " missed"}" x1="${x(bar.limit)}" x2="${x(bar.limit)}" y1="${y - 11}" y2="${y + 11}"/>`}
${at !== undefined && html`<path class="published" d="M${at} ${y - 6}l6 6l-6 6l-6 -6z"/>`}
${seeds.map(({ value, what }) => html`<circle cx="${x(value)}" cy="${y}" r="4"><title>${what}: ${figureText(value)}</title></circle>`)}
`;
}

const signed = (value: number) => (value > 0 ? `+${figureText(value)}` : figureText(value));

/** Three digits. */
export function figureText(value: number): string {
  if (Number.isInteger(value) || !Number.isFinite(value)) return String(value);
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
