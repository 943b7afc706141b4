/**
 * docs/pictures/design.svg: the walk of one cleaning, drawn from the imports of its files. Layers are those of the layout; an arrow that
 * others imply is left out, and so are the folders that all import. Run: npm run design. A test fails when it is out of date.
 */
import { writeFileSync } from "node:fs";
import { importsOf, layers } from "./imports.ts";

export const picture = "docs/pictures/design.svg";
const start = "jobs/clean/job.ts";
const walk = "jobs/clean/";
/** Arrays, errors, rates: everything imports them. */
const base: readonly string[] = layers[0];

interface Node {
  readonly file: string;
  readonly label: string;
  readonly width: number;
  x: number;
  y: number;
}

const folderOf = (file: string) => file.split("/")[0];
const isWalk = (file: string) => file.startsWith(walk);

/** Every file that is reached, with what it imports. */
function reached(from: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  const visit = (file: string) => {
    if (found.has(file)) return;
    found.set(file, [...new Set(importsOf(`src/${file}`))]);
    for (const path of found.get(file)!) visit(path);
  };
  visit(from);
  return found;
}

/** Files of the walk and what they import, and the arrows among them that no others imply. */
function graph() {
  const imports = reached(start);
  const files = [...imports.keys()].filter(isWalk);
  const shown = new Set(files);
  for (const file of files) for (const path of imports.get(file)!) if (!base.includes(folderOf(path))) shown.add(path);
  const importsShown = (file: string) => imports.get(file)!.filter((path) => shown.has(path));
  const reachOf = (file: string): readonly string[] => importsShown(file).flatMap((path) => [path, ...reachOf(path)]);
  const arrows = [...shown].flatMap((file) => {
    const implied = new Set(importsShown(file).flatMap(reachOf));
    return importsShown(file)
      .filter((path) => !implied.has(path))
      .map((path) => [file, path] as const);
  });
  return { shown: [...shown].sort(), arrows };
}

const style = { left: 118, right: 1240, chip: 25, row: 49, pad: 18, letter: 7.9 };

/** How many steps of arrows lie above a file within its layer. */
function depths(files: readonly string[], arrows: readonly (readonly [string, string])[]): ReadonlyMap<string, number> {
  const inside = new Set(files);
  const depth = new Map<string, number>();
  const of = (file: string): number => {
    const above = arrows.filter(([from, to]) => to === file && inside.has(from));
    const known = depth.get(file) ?? Math.max(0, ...above.map(([from]) => 1 + of(from)));
    depth.set(file, known);
    return known;
  };
  for (const file of files) of(file);
  return depth;
}

/** Nodes in rows, each as near below what leads to it as the row allows. */
function placed(files: readonly string[], arrows: readonly (readonly [string, string])[]) {
  const nodes = new Map<string, Node>();
  const bands: { readonly title: readonly string[]; readonly top: number; readonly bottom: number }[] = [];
  let y = 8;
  const groups = [
    { title: ["jobs/clean"], files: files.filter(isWalk) },
    ...[...layers].reverse().map((title) => ({
      title,
      files: files.filter((file) => !isWalk(file) && title.includes(folderOf(file))),
    })),
  ].filter((group) => group.files.length > 0);
  for (const group of groups) {
    const top = y;
    const depth = depths(group.files, arrows);
    y += style.pad;
    for (let rank = 0; rank <= Math.max(...depth.values()); rank++) {
      const made = group.files
        .filter((file) => depth.get(file) === rank)
        .map((file): Node => {
          const label = file.replace(/^jobs\/(clean\/)?/, "").replace(/\.ts$/, "");
          return { file, label, width: 16 + style.letter * label.length, x: wantedX(file, arrows, nodes), y: 0 };
        });
      for (const row of rowsOf(made)) {
        spread(row);
        for (const node of row) {
          node.y = y;
          nodes.set(node.file, node);
        }
        y += style.row;
      }
    }
    y += style.pad + style.chip - style.row;
    bands.push({ title: group.title, top, bottom: y });
    y += 14;
  }
  return { nodes, bands, height: y };
}

const middle = (style.left + style.right) / 2;

/** The mean place of what leads here. */
function wantedX(file: string, arrows: readonly (readonly [string, string])[], nodes: ReadonlyMap<string, Node>) {
  const above = arrows.filter(([from, to]) => to === file && nodes.has(from)).map(([from]) => nodes.get(from)!.x);
  return above.length === 0 ? middle : above.reduce((a, b) => a + b, 0) / above.length;
}

const gap = 14;

/** One rank of a layer in as many rows as it needs. */
function rowsOf(nodes: readonly Node[]): Node[][] {
  const total = nodes.reduce((sum, { width }) => sum + width + gap, 0);
  const count = Math.ceil(total / (style.right - style.left - 2 * gap));
  const sorted = [...nodes].sort((a, b) => a.x - b.x || (a.file < b.file ? -1 : 1));
  return Array.from({ length: count }, (_, row) => sorted.filter((_, i) => i % count === row));
}

/** Moves the nodes of a row apart and into the picture, the farther the more room there is. */
function spread(row: readonly Node[]): void {
  const room = style.right - style.left - row.reduce((sum, { width }) => sum + width, 0);
  const apart = Math.min(70, room / (row.length + 1));
  for (let round = 0; round < 200; round++) {
    row.forEach((node, i) => {
      const [least, most] = [style.left + gap + node.width / 2, style.right - gap - node.width / 2];
      const before = row[i - 1];
      const overlap = before === undefined ? 0 : before.x + (before.width + node.width) / 2 + apart - node.x;
      if (overlap > 0) {
        before.x -= overlap / 2;
        node.x += overlap / 2;
      }
      node.x = Math.min(Math.max(node.x, least), most);
    });
  }
}

const f = (value: number) => String(Math.round(value * 10) / 10);

function arrow(from: Node, to: Node): string {
  const kind = isWalk(from.file) && isWalk(to.file) ? "step" : isWalk(from.file) ? "use" : "rest";
  const [y1, y2] = [from.y + style.chip, to.y - 3];
  const bend = Math.max(14, 0.45 * (y2 - y1));
  const path = `M${f(from.x)} ${f(y1)}C${f(from.x)} ${f(y1 + bend)} ${f(to.x)} ${f(y2 - bend)} ${f(to.x)} ${f(y2)}`;
  return `<path class="${kind}" marker-end="url(#${kind})" d="${path}"/>`;
}

function chip({ file, label, x, y, width }: Node): string {
  const box = `x="${f(x - width / 2)}" y="${f(y)}" width="${f(width)}" height="${style.chip}" rx="4"`;
  return `<g class="${isWalk(file) ? "walk" : "file"}"><rect ${box}/><text x="${f(x)}" y="${f(y + 17)}">${label}</text></g>`;
}

const css = `
svg { --paper: #fff; --band: #f4f5f7; --ink: #1c2430; --soft: #667085; --line: #c9ced6; --walk: #0b57a4; --walkPaper: #e3eefb; --use: #6d9bcd; --rest: #c3c8d0 }
@media (prefers-color-scheme: dark) { svg { --paper: #14171c; --band: #1d2229; --ink: #e6e9ee; --soft: #98a2b3; --line: #414a57; --walk: #8cc0ff; --walkPaper: #17304f; --use: #4a7db5; --rest: #5a6472 } }
text { font: 13px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: var(--ink); text-anchor: middle }
.title { text-anchor: start; font-weight: bold }
.band { fill: var(--band) }
.file rect { fill: var(--paper); stroke: var(--line) }
.walk rect { fill: var(--walkPaper); stroke: var(--walk) }
.walk text { font-weight: bold }
path { fill: none }
.step { stroke: var(--walk); stroke-width: 1.8 } .use { stroke: var(--use) } .rest { stroke: var(--rest) }
.head-step { fill: var(--walk) } .head-use { fill: var(--use) } .head-rest { fill: var(--rest) }
.note { fill: var(--soft); text-anchor: start }`;

/** The picture as it is now. */
export function design(): string {
  const { shown, arrows } = graph();
  const { nodes, bands, height } = placed(shown, arrows);
  const kinds = ["rest", "use", "step"];
  const heads = kinds.map(
    (kind) =>
      `<marker id="${kind}" viewBox="0 0 6 6" refX="4" refY="3" markerWidth="6" markerHeight="6" markerUnits="userSpaceOnUse" orient="auto"><path class="head-${kind}" d="M0 0L6 3L0 6z"/></marker>`,
  );
  const drawn = arrows.map(([from, to]) => arrow(nodes.get(from)!, nodes.get(to)!));
  const note = `All of them import ${base.join(" and ")}. Arrows that others imply are left out.`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${style.right + 8} ${height + 26}" role="img" aria-label="Files of one cleaning and their imports, all of which go down">`,
    `<style>${css}\n</style>`,
    `<defs>${heads.join("")}</defs>`,
    `<rect width="100%" height="100%" fill="var(--paper)"/>`,
    ...bands.map(
      ({ title, top, bottom }) =>
        `<rect class="band" x="8" y="${top}" width="${style.right - 8}" height="${bottom - top}" rx="6"/>` +
        title.map((line, i) => `<text class="title" x="20" y="${top + 24 + 17 * i}">${line}</text>`).join(""),
    ),
    ...kinds.map((kind) => drawn.filter((path) => path.includes(`class="${kind}"`)).join("\n")),
    ...[...nodes.values()].map(chip),
    `<text class="note" x="20" y="${height + 10}">${note}</text>`,
    "</svg>\n",
  ].join("\n");
}

if (process.argv[1]?.endsWith("design.ts")) writeFileSync(picture, design());
