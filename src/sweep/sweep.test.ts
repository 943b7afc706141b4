/** Sweeps of toy jobs: what is asked, what is run, what is kept, what is shown. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";
import { ran, toyJobs } from "../../test/toy-jobs.ts";
import { silent } from "../jobs/context.ts";
import type { Job } from "../jobs/job.ts";
import { runJob } from "../jobs/run-job.ts";
import { openStore } from "../store/store.ts";
import { partOf } from "./commands.ts";
import { failureOf } from "./failures.ts";
import { tableHtml } from "./html.ts";
import { sweepRun, sweepStatus, sweepTable } from "./jobs.ts";
import { type Recipe, readRecipe } from "./recipe.ts";
import { holds, isSo } from "./references.ts";
import { type Perform, runSweep } from "./run.ts";
import { tableOf } from "./table.ts";
import { follow, runFor, unitsOf } from "./units.ts";

const folder = mkdtempSync(join(tmpdir(), "tbar-sweep-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  ran.length = 0;
});

const text = `
name: toy
title: A toy
reproduces: Table 0 of nothing
values: { factor: 1 }
seeds: [1, { seed: 2, extra: 0.1 }, 3]
cells:
  - { name: weak, strength: 0.2, share: 0.5 }
  - { name: strong, strength: 0.8, share: 0.5, pass: ">= 0.7" }
  - { name: once, strength: 0.4, share: 0.5, seeds: [1] }
steps:
  - { id: shared, job: make, spec: { strength: "\${cell.share}", seed: "\${seed}" } }
  - { id: made, job: make, spec: { strength: "\${cell.strength}", seed: "\${seed}" } }
  - { id: seen, job: measure, spec: { model: "\${steps.made.out}", factor: "\${values.factor}" } }
  - id: again
    job: measure
    when: steps.seen.hits.value >= 0.3
    spec: { model: "\${steps.shared.out}", settings: { s: "\${steps.made.strength}" } }
table:
  figures:
    - { name: hits, value: steps.seen.hits, pass: "\${cell.pass?}", seeds: { name: "hits (\${cell.strength})", pass: ">= 0.1" } }
    - { name: kept, value: steps.seen.hits, over: steps.seen.before }
    - { name: gone, value: steps.seen.gone }
    - { name: "after, \${each.key}", each: steps.again.variants, value: each.value.after }
published:
  - { cell: strong, figure: hits, value: 0.7, source: "Somebody, 2025, table 1" }
profiles:
  tiny: { seeds: [1], cells: [weak], steps: { made: { strength: 0.1 } } }
`;

let written = 0;
async function recipeOf(content = text, options: Parameters<typeof readRecipe>[1] = {}): Promise<Recipe> {
  const file = join(folder, `recipe-${++written}.yaml`);
  writeFileSync(file, content);
  return readRecipe(file, options);
}

const storeOf = (name: string) => openStore(join(folder, name));
const here: Perform = (job, spec, given) => runJob(job, spec as never, given) as never;
const sweep = async (
  recipe: Recipe,
  name: string,
  more: { workers?: number; perform?: Perform; signal?: AbortSignal } = {},
) =>
  runSweep(
    recipe,
    { units: unitsOf(recipe), store: storeOf(name), workers: 2, jobs: toyJobs, perform: here, ...more },
    {
      progress: silent,
      ...(more.signal && { signal: more.signal }),
    } as never,
  );

test("a sweep runs each step once, equal steps of several cells too, and a second time nothing", async () => {
  const recipe = await recipeOf();
  const { failed, ran: count } = await sweep(recipe, "whole");
  expect(unitsOf(recipe)).toHaveLength(7);
  expect([...failed.values()]).toEqual([]);
  const makes = ran.filter((one) => one.startsWith("make"));
  expect(new Set(makes).size).toBe(makes.length);
  expect(makes).toHaveLength(7 + 3); // of each cell and seed, and the shared one once a seed
  expect(ran.filter((one) => one.startsWith("measure 0.5"))).toHaveLength(4); // weak ones are left out by `when`
  expect(count).toBe(ran.length);
  expect(readdirSync(join(folder, "whole")).filter((name) => !name.endsWith(".json"))).toEqual([]); // no model, no work is left
  ran.length = 0;
  expect((await sweep(recipe, "whole")).ran).toBe(0);
  expect(ran).toEqual([]);
});

test("a model that a later step asks for is made again where it has gone; its result stays as it was", async () => {
  const recipe = await recipeOf();
  await sweep(recipe, "gone");
  const { ready } = await follow(recipe, unitsOf(recipe)[1], { store: storeOf("gone"), jobs: toyJobs });
  const [made, seen] = ["made", "seen"].map((id) => ready.find(({ step }) => step.id === id)!);
  const before = readFileSync(join(folder, "gone", `${made.hash}.json`), "utf8");
  rmSync(join(folder, "gone", `${seen.hash}.json`));
  ran.length = 0;
  await sweep(recipe, "gone");
  expect(ran).toEqual(["make 0.8 1", "measure 0.8 1"]);
  expect(readFileSync(join(folder, "gone", `${made.hash}.json`), "utf8")).toBe(before);
});

test("a cell that fails is told of and remembered; the others go on; mended, it is done", async () => {
  const bad = await recipeOf(text.replace("strength: 0.8", "strength: 1.8"));
  const { failed } = await sweep(bad, "failing");
  const said = [...failed].map(([{ cell, seed }, message]) => [cell.name, seed.seed, message.replace(/^.*recipe-\d+/, "toy")]); // biome-ignore format: one line
  expect(said).toEqual(
    [1, 2, 3].map((seed) => ["strong", seed, `toy.yaml:13:28: step made of strong, seed ${seed}: too strong`]),
  );
  const [unit] = failed.keys();
  expect(await failureOf(storeOf("failing"), bad, unit)).toMatch(/too strong$/);
  const done = await Promise.all(
    unitsOf(bad).map((unit) => follow(bad, unit, { store: storeOf("failing"), jobs: toyJobs })),
  );
  expect(done.filter(({ left }) => left.length === 0)).toHaveLength(4);
  const good = await recipeOf();
  expect((await sweep(good, "failing")).failed.size).toBe(0);
  expect(await failureOf(storeOf("failing"), good, unit)).toBeUndefined();
});

test("aborted, it throws the signal's reason; the same sweep repeats nothing that was finished", async () => {
  const recipe = await recipeOf();
  const stop = new AbortController();
  let done = 0;
  const perform: Perform = async (job, spec, given) => {
    if (++done > 5) {
      stop.abort(new Error("enough"));
      given.signal!.throwIfAborted();
    }
    return here(job, spec, given);
  };
  await expect(sweep(recipe, "aborted", { workers: 1, perform, signal: stop.signal })).rejects.toThrow("enough");
  const first = [...ran];
  expect(first).toHaveLength(5);
  await sweep(recipe, "aborted");
  expect(new Set(ran).size).toBe(
    new Set(ran.filter((one) => one.startsWith("make"))).size +
      new Set(ran.filter((one) => one.startsWith("measure"))).size,
  );
  const repeated = ran.slice(first.length).filter((one) => first.includes(one) && one.startsWith("make"));
  expect(repeated).toEqual([]);
});

test("two sweeps of one store at once: both end, all is there, no half file, no work left", async () => {
  const recipe = await recipeOf();
  const both = await Promise.all([sweep(recipe, "two"), sweep(recipe, "two")]);
  for (const { failed } of both) expect([...failed.values()]).toEqual([]);
  const names = readdirSync(join(folder, "two"));
  expect(names.filter((name) => !/^[0-9a-f]{64}\.json$/.test(name))).toEqual([]);
  for (const name of names) expect(await storeOf("two").get(name.slice(0, 64))).toBeDefined();
});

test("the table: seeds, means, targets, what was published, quotients", async () => {
  const recipe = await recipeOf();
  await sweep(recipe, "table");
  const { rows, left } = await tableOf(recipe, storeOf("table"), toyJobs);
  expect(left).toBe(0);
  const lines = rows.map(({ what, value, interval, bar, met, published }) =>
    [
      what,
      value,
      interval.map((end) => end.toFixed(3)).join(" to "),
      bar && `${bar.op} ${bar.limit}`,
      met,
      published?.difference.toFixed(3),
    ].join(" | "),
  );
  expect(lines.join("\n")).toMatchSnapshot();
});

test("a figure of a step that was not run is the one that stands for it there", async () => {
  const more =
    "\n    - { name: again or seen, value: steps.again.hits, or: { value: steps.seen.hits, over: 2 } }\npublished:";
  const recipe = await recipeOf(text.replace("\npublished:", more));
  await sweep(recipe, "or");
  const { rows } = await tableOf(recipe, storeOf("or"), toyJobs);
  const value = (cell: string, figure: string) => rows.find((row) => row.cell === cell && row.figure === figure && row.seed === 1)?.value ?? Number.NaN; // biome-ignore format: one line
  const [weak, strong] = ["weak", "strong"].map((cell) => value(cell, "again or seen"));
  expect(rows.some(({ cell, what }) => cell === "weak" && what.includes("after, "))).toBe(false); // not run
  expect(weak).toBeCloseTo(value("weak", "hits") / 2, 12);
  expect(strong).not.toBeCloseTo(value("strong", "hits") / 2, 2);
  await expect(recipeOf(text.replace("\npublished:", more.replace("steps.seen.hits, over", "steps.sen.hits, over")))).rejects.toThrow("sen"); // biome-ignore format: one line
});

test("a figure whose path may lead nowhere is left out there; one that must lead somewhere is refused", async () => {
  const more = (path: string) => text.replace("\npublished:", `\n    - { name: may be, value: ${path} }\npublished:`);
  const recipe = await recipeOf(more("steps.seen.hits?"));
  await sweep(recipe, "may-be");
  const { rows } = await tableOf(recipe, storeOf("may-be"), toyJobs);
  expect(rows.filter(({ figure }) => figure === "may be").map(({ value }) => value)).toEqual(
    rows.filter(({ figure }) => figure === "hits").map(({ value }) => value),
  );
  const without = await tableOf(await recipeOf(more("steps.seen.misses?")), storeOf("may-be"), toyJobs);
  expect(without.rows.some(({ figure }) => figure === "may be")).toBe(false);
  await expect(tableOf(await recipeOf(more("steps.seen.misses")), storeOf("may-be"), toyJobs)).rejects.toThrow(
    'unknown reference in steps.seen "misses"',
  );
});

test("the page shows every seed as a dot and fetches nothing", async () => {
  const recipe = await recipeOf();
  await sweep(recipe, "page");
  const table = await tableOf(recipe, storeOf("page"), toyJobs);
  const about = { title: "A <toy>", reproduces: "x", recipe: "toy", command: "", seeds: [1, 2, 3] };
  const page = tableHtml({ schema: "tbar/sweep-table/1", kind: "sweep-table", ...about, ...table });
  const dots = table.rows.filter(({ seed }) => seed !== undefined).length;
  expect(page.match(/<circle/g)).toHaveLength(dots);
  expect(page).toContain("A &#60;toy&#62;");
  expect(page).toContain("Somebody, 2025, table 1");
  expect(page).not.toMatch(/<script|https?:/);
});

test("a table of what is half done says so, and has the rows that are there", async () => {
  const recipe = await recipeOf();
  const store = storeOf("half");
  const some = unitsOf(recipe).filter(({ cell, seed }) => cell.name === "strong" && seed.seed < 3);
  await runSweep(recipe, { units: some, store, workers: 1, jobs: toyJobs, perform: here }, {
    progress: silent,
  } as never);
  const { rows, left } = await tableOf(recipe, store, toyJobs);
  expect(left).toBe(5);
  expect(rows.map(({ what }) => what)).toContain("strong, mean of 2: hits");
  expect(rows.some(({ cell }) => cell === "weak")).toBe(false);
});

test("profiles and --set replace parts", async () => {
  const tiny = await recipeOf(text, { profile: "tiny", set: ["factor=2"] });
  expect(unitsOf(tiny).map(({ cell, seed }) => [cell.name, seed.seed])).toEqual([["weak", 1]]);
  expect(tiny.steps[1].spec).toEqual({ strength: 0.1, seed: `\${seed}` });
  expect(tiny.values).toEqual({ factor: 2 });
  await expect(recipeOf(text, { profile: "tinny" })).rejects.toThrow('unknown profile "tinny"; did you mean "tiny"?');
  expect((await recipeOf(text, { set: ["factor=large"] })).values).toEqual({ factor: "large" });
  for (const name of ["fcator", "__proto__"])
    await expect(recipeOf(text, { set: [`${name}=2`] })).rejects.toThrow(`unknown value of the recipe "${name}"`);
  await expect(recipeOf(text, { set: ["factor"] })).rejects.toThrow("it should be NAME=VALUE");
});

test("a grid is the product of its axes", async () => {
  const axes = `cells: { grid: { attack: [badnet, { name: sig, f: 6 }], rate: [0.1, 0.5] } }\nsteps:`;
  const recipe = await recipeOf(text.replace(/cells:\n[\s\S]*?steps:/, axes).replace(/published:[\s\S]*/, ""));
  expect(recipe.cells).toEqual([
    { name: "badnet-0_1", attack: "badnet", rate: 0.1 },
    { name: "badnet-0_5", attack: "badnet", rate: 0.5 },
    { name: "sig-0_1", attack: { name: "sig", f: 6 }, rate: 0.1 },
    { name: "sig-0_5", attack: { name: "sig", f: 6 }, rate: 0.5 },
  ]);
});

test.each([
  ["name: toy", "name: ../toy", /yaml:2:1: name: letters, digits and hyphens/],
  ["seeds: [1,", "seeds: [one,", /yaml:6:9: seeds\.0: /],
  ["name: weak,", "", /yaml:8:5: cells\.0\.name: /],
  ["    when: steps", "    wenn: steps", /yaml:17:5: steps\.3: unknown key "wenn"/],
  ["name: toy", "name: toy\nname: toy", /yaml:3:1: Map keys must be unique/],
  ["name: strong, strength", "name: weak, strength", /yaml:7:1: "weak" names two cells/],
  [
    "tiny: { seeds: [1], cells: [weak]",
    "tiny: { seeds: [1], cells: [week]",
    /unknown cell "week"; did you mean "weak"/,
    "tiny",
  ],
  ["profiles:", "profiles:\n  other: { about: x }", /unknown profile "toString"/, "toString"],
  ["seeds: [1,", "seeds: [3,", /yaml:6:1: seed 3 stands twice/],
  [
    "tiny: { seeds",
    "tiny: { cell: { name: ../../weak }, seeds",
    /cell "weak": name: letters, digits and hyphens/,
    "tiny",
  ],
  ["tiny: { seeds", "tiny: { cell: { seeds: 5 }, seeds", /cell "weak": seeds: /, "tiny"],
  ["name: weak,", `name: ${"a".repeat(300)},`, /yaml:8:\d+: cells\.0\.name: /],
  [
    "value: steps.seen.gone",
    "value: steps.sene.gone",
    /yaml:23:\d+: unknown reference in steps "sene"; did you mean "seen"/,
  ],
  ["value: steps.seen.gone", "value: each.value", /yaml:23:\d+: unknown reference "each"/],
  ["value: steps.seen.gone", "value: steps.seen.gone, pass: high", /yaml:23:\d+: "high" is no comparison/],
  [
    "spec: { model",
    "spec: &self { all: *self, model",
    /within each other, more than 64 deep, or one that holds itself/,
  ],
  ["spec: { model", `spec: { deep: ${"[".repeat(70)}${"]".repeat(70)}, model`, /more than 64 deep/],
  ["spec: { model", `spec: { deep: ${"[".repeat(20_000)}${"]".repeat(20_000)}, model`, /more than 64 deep/],
  [
    /cells:\n[\s\S]*?steps:/,
    `cells: { grid: {${"abcd".split("").map((a) => ` ${a}: [${"1, ".repeat(20)}]`)} } }\nsteps:`,
    /a grid of 160000 cells/,
  ],
  [/cells:\n[\s\S]*?steps:/, "cells: { grid: { seeds: [1] } }\nsteps:", /cell "1": seeds: /],
  [/cells:\n[\s\S]*?steps:/, "cells: { grid: {} }\nsteps:", /cell "": name: /],
] as [string | RegExp, string, RegExp, string?][])(
  "%s -> %.60s: refused with its place",
  async (from, to, message, profile?) => {
    await expect(recipeOf(text.replace(from, to), { profile })).rejects.toThrow(message);
  },
);

test.each([
  [
    "job: measure, spec",
    "job: mesure, spec",
    /yaml:14:\d+: step seen of weak, seed 1: unknown job "mesure"; did you mean "measure"/,
  ],
  [`factor: "\${values.factor}"`, "fctor: 1", /unknown option of measure "fctor"; did you mean "factor"/],
  [
    `\${cell.share}`,
    `\${cell.shore}`,
    /step shared of weak, seed 1: unknown reference in cell "shore"; did you mean "share"/,
  ],
  [`\${steps.made.out}`, `\${steps.mode.out}`, /unknown reference in steps "mode"; did you mean "made"/],
  ["strength: 0.2", "strength: -1", /make: strength is -1; it must be a number, 0 or more/],
  [`factor: "\${values.factor}"`, `factor: "x \${values}"`, /\$\{values\} is no single value/],
  [`factor: "\${values.factor}"`, `factor: "\${values.\${seed}}"`, /holds \$\{ that begins no reference/],
  [`factor: "\${values.factor}"`, `factor: "\${}"`, /holds \$\{ that begins no reference/],
  [
    "factor: 1 }",
    `factor: "\${values.factor}" }`,
    /\$\{values\.factor\} leads to \$\{values\.factor\}, and a reference may not/,
  ],
  ["job: measure, spec", "job: constructor, spec", /unknown job "constructor"/],
  [`\${cell.share}`, `\${cell.__proto__.share}`, /unknown reference in cell "__proto__"/],
  [`seed: "\${seed}" } }\n  - { id: made`, `seed: "\${seed}", out: here } }\n  - { id: made`, /out is the sweep's own/],
])("%s -> %s: a step that its job refuses", async (from, to, message) => {
  const recipe = await recipeOf(text.replace(from, to));
  await expect(sweep(recipe, "refused")).rejects.toThrow(message);
  expect(ran).toEqual([]);
});

test("a condition that compares no number is refused when it is reached", async () => {
  const recipe = await recipeOf(text.replace("steps.seen.hits.value >= 0.3", "steps.seen.hits.value is high"));
  const { failed } = await sweep(recipe, "condition");
  expect([...failed.values()][0]).toMatch(/"is high" is no comparison with a number/);
  expect(existsSync(join(folder, "condition"))).toBe(true);
});

test("a condition on a word", () => {
  const scope = { steps: { scan: { verdict: "no evidence" } } };
  expect(isSo("steps.scan.verdict == no evidence", scope)).toBe(true);
  expect(isSo("steps.scan.verdict != no evidence", scope)).toBe(false);
  expect(isSo("steps.scan.verdict == backdoored", scope)).toBe(false);
  expect(isSo("steps.scan.verdict != backdoored ", scope)).toBe(true);
  expect(() => isSo("steps.scan.verdict >= 0.5", scope)).toThrow(/"no evidence", no number to compare/);
});

test("what a sweep would run: steps that are left, and those that make their models, whether or not their figures are there", async () => {
  const recipe = await recipeOf();
  expect(runFor(recipe, ["seen"]).toSorted()).toEqual(["made", "seen"]);
  expect(runFor(recipe, ["again", "seen"]).toSorted()).toEqual(["again", "made", "seen", "shared"]);
  expect(runFor(recipe, [])).toEqual([]);
});

test("a quotient by zero reaches no target", () => {
  for (const value of [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN])
    for (const op of [">=", "<="]) expect(holds(value, { op, limit: 0.1 })).toBe(false);
});

test("a store that is a file, and a table of a store that is not there", async () => {
  const file = join(folder, "recipe-store.yaml");
  writeFileSync(file, text.replaceAll("job: make", "job: finetune").replaceAll("job: measure", "job: eval"));
  for (const job of [sweepRun, sweepStatus, sweepTable] as readonly Job[])
    await expect(runJob(job, { recipe: file, store: file })).rejects.toThrow(/recipe-store\.yaml is no folder/);
  const out = join(folder, "untouched.json");
  const table = runJob(sweepTable, { recipe: file, store: join(folder, "nowhere"), out });
  await expect(table).rejects.toThrow(/there is no store .*nowhere/);
  expect(existsSync(out)).toBe(false);
});

test("the parts of a sweep are all of it, each cell once", async () => {
  const file = join(folder, "recipe-parts.yaml");
  writeFileSync(file, text.replaceAll("job: make", "job: finetune").replaceAll("job: measure", "job: eval"));
  const cells = unitsOf(await readRecipe(file));
  const parts = [1, 2, 3].map((k) => partOf(cells, `${k}/3`));
  expect(parts.map(({ length }) => length)).toEqual([3, 2, 2]);
  expect(new Set(parts.flat())).toEqual(new Set(cells));
  for (const part of ["0/3", "4/3"]) expect(() => partOf(cells, part)).toThrow("there are parts 1/3 to 3/3");
});
