/**
 * npm run pictures:xi -- STORE: docs/pictures/xi.svg, the maps of recipes/tbar-xi.yaml (--profile small) side by side: of each attack the vector that
 * the attack left above, and below it the one that a defender learns.
 */
import { writeFileSync } from "node:fs";
import { heatMap } from "../src/report/xi/heat-map.ts";
import { shadeOfError } from "../src/report/xi/maps.ts";
import type { XiResult } from "../src/results/xi.ts";
import { openStore } from "../src/store/store.ts";
import { readRecipe } from "../src/sweep/recipe.ts";
import { follow, unitsOf } from "../src/sweep/units.ts";

const [, , folder] = process.argv;
if (folder === undefined) throw new Error("npm run pictures:xi -- STORE");
const recipe = await readRecipe("tbar-xi", { profile: "small" });
const store = openStore(folder);

const [size, above, gap, columns] = [250, 46, 6, 3];
const rows = ["implanted", "learned"] as const;
const titles = { implanted: "as the attack left it", learned: "as a defender learns it" };
const drawn: string[] = [];
let count = 0;
for (const unit of unitsOf(recipe)) {
  const { ready } = await follow(recipe, unit, { store });
  const { name } = (unit as unknown as { cell: { name: string } }).cell;
  const found = rows.map((row) => ready.find(({ step }) => step.id === row)?.result as XiResult | undefined);
  if (found.some((one) => one === undefined)) continue;
  const [x, block] = [(count % columns) * (size + gap), Math.floor(count / columns)];
  count++;
  found.forEach((result, row) => {
    const { alphas, xi, region } = result as XiResult;
    const map = heatMap({
      kind: "xi",
      label: `${name}, the vector ${titles[rows[row]]}: xi at most ${region.limit} on ${Math.round(100 * region.value)} % of the plane`,
      alphas,
      values: xi,
      shade: shadeOfError,
      say: String,
      isInside: (c, t) => xi[c][t] <= region.limit,
    });
    const y = (rows.length * block + row) * (size + above);
    const share = `${(100 * region.value).toFixed(0)} %`;
    drawn.push(
      `<text class="title" x="${x + 26}" y="${y + 18}">${name}</text><text x="${x + 26}" y="${y + 35}">${titles[rows[row]]}; ξ ≤ ${region.limit}: ${share}</text>`,
      `<g transform="translate(${x} ${y + above - 6}) scale(${size / 320})">${map.text.replaceAll(/<title>.*?<\/title>/g, "").replace("<svg ", '<svg width="320" height="320" ')}</g>`,
    );
  });
}
const blocks = Math.ceil(count / columns);
const [width, height] = [Math.min(count, columns) * (size + gap), blocks * rows.length * (size + above)];
const style = `
text { font: 13px sans-serif; fill: #555; } .title { font-size: 15px; font-weight: 600; fill: #222; }
.map text { font-size: 12px; } .map .sub { font-size: 9px; }
.cells rect { fill: #b23a06; } .tick { stroke: #666; stroke-width: 0.8; } .zero { stroke: #222; stroke-width: 0.6; opacity: 0.35; }
.diagonal { stroke: #222; stroke-width: 0.8; stroke-dasharray: 3 3; opacity: 0.55; fill: none; } .frame { fill: none; stroke: #bbb; }
.halo, .region { fill: none; stroke-linecap: square; } .halo { stroke: #fff; stroke-width: 4; } .region { stroke: #187a3d; stroke-width: 2; }
.marks { fill: #fff; stroke: #222; stroke-width: 1.4; } .marks path { stroke-linejoin: round; stroke-linecap: round; }`;
writeFileSync(
  "docs/pictures/xi.svg",
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Maps of the weight disentanglement error of ${count} attacks"><style>${style}</style><rect width="${width}" height="${height}" fill="#fff"/>
${drawn.join("\n")}
</svg>
`,
);
console.log(`${count} attacks drawn`);
