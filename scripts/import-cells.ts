/**
 * Puts the results that the benches of science, attacks, badmerging and cifar left in results/{...}/*.json into a store, under the addresses that
 * their recipes give them. Run once: jiti scripts/import-cells.ts STORE. Each is checked against the spec that it is to be the result of.
 */
import { existsSync, readFileSync } from "node:fs";
import { storedVerdict } from "../src/jobs/record/verdict.ts";
import { openStore } from "../src/store/store.ts";
import { readRecipe } from "../src/sweep/recipe.ts";
import { follow, nameOf, type Ready, type Unit, unitsOf } from "../src/sweep/units.ts";

// biome-ignore lint/suspicious/noExplicitAny: files of yesterday
type Json = Record<string, any>;

const read = (path: string): Json | undefined =>
  existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;

const kept: Readonly<Record<string, string>> = {
  badnet: "science/badnet-fixed-one",
  blended: "science/blended-gaussian-one",
};
const methods: Readonly<Record<string, string>> = { arithmetic: "task-arithmetic", ties: "ties" };

/** What the bench left of this step. */
function found(recipe: string, { cell, seed: { seed } }: Unit, id: string): Json | undefined {
  const whole = (path: string) => read(`results/${path}-${seed}.json`)?.[id];
  if (recipe === "science") return whole(`science/${cell.name}`);
  if (recipe === "attacks") {
    const task = cell.data === "shapes:shape" ? "-shape" : "";
    if (id === "control") return read(`results/attacks/twin${task}-8000x4-0.001-${seed}.json`);
    return whole(kept[cell.name] ?? `attacks/${cell.name}`);
  }
  if (recipe === "cifar")
    return id === "untouched" ? read("results/cifar/untouched.json") : whole(`cifar/${cell.name}`);
  if (["shape", "background", "place"].includes(id)) return read(`results/badmerging/${id}-${seed}.json`);
  const run = read(`results/badmerging/${cell.name}-${seed}.json`);
  if (id === "attack" || run === undefined) return run?.attack;
  const { kind: _, ...made } = { kind: "", tbar: run.attack.tbar, machine: run.attack.machine };
  const [method, what] = id.split("-");
  if (what === undefined) return id === "base" || id === "alone" ? { ...made, kind: "eval", asr: run[id] } : undefined;
  const merged = run.merged[methods[method]];
  if (what === "asr") return { ...made, kind: "eval", asr: merged.asr };
  return { ...made, kind: "eval", ca: what === "own" ? merged.own : merged.tasks[what] };
}

/** What a result says of itself and its spec says too. */
function check({ job, spec }: Ready, result: Json, what: string): void {
  // biome-ignore lint/suspicious/noExplicitAny: any field
  const at = (field: string) => field.split(".").reduce((inside: Json, key) => inside?.[key], spec) as any;
  const pairs: Record<string, () => readonly (readonly [unknown, unknown])[]> = {
    attack: () => [
      [at("target"), result.target],
      [at("rate"), result.poison?.rate],
      [at("boost"), result.poison?.boost ?? 1],
      [at("images"), result.poison?.images],
      [at("testImages"), result.after?.ca.n],
      [at("trigger")?.split(":")[0], result.trigger?.kind],
      [Number(/seed=(\d+)/.exec(at("trigger"))?.[1]), result.trigger?.seed],
    ],
    clean: () => [
      [JSON.stringify(at("methods")), JSON.stringify(Object.keys(result.variants ?? {}))],
      [JSON.stringify(at("sizes")), JSON.stringify(result.inputs?.sizes)],
    ],
    finetune: () => [
      [at("data"), result.data],
      [at("images"), result.images],
      [at("recipe.modules"), result.recipe?.modules ?? "all"],
    ],
  };
  const own = [
    ...(pairs[job.name]?.() ?? []),
    ...(result.seed === undefined ? [] : [[at("seed"), result.seed] as const]),
  ];
  for (const field of ["lr", "epochs", "batch", "warmup", "weightDecay", "clip"]) {
    if (job.name !== "clean" && at(`recipe.${field}`) !== undefined)
      own.push([at(`recipe.${field}`), result.recipe?.[field]]);
  }
  for (const [asked, held] of own)
    if (asked !== held) throw new Error(`${what}: the spec says ${asked}, the result ${held}`);
}

const notes: Readonly<Record<string, string>> = {
  clean:
    "Its cleanings are judged again, by the bounds of ASR and retention; which images were right both times is not known, and counted in the least favourable way.",
};
const usual = "Computed by tbar 0.1.0 in November 2026 and imported.";

const [folder] = process.argv.slice(2);
const store = openStore(folder);
for (const name of ["science", "attacks", "badmerging", "cifar"]) {
  const recipe = await readRecipe(name);
  let [count, fallen] = [0, 0];
  for (const unit of unitsOf(recipe)) {
    const { left, ready } = await follow(recipe, unit, { store }, async (ready) => {
      const what = `${nameOf(unit)}: ${ready.step.id}`;
      const old = found(name, unit, ready.step.id);
      if (old === undefined) return undefined;
      check(ready, old, what);
      const result = ready.job.name === "clean" ? { ...old, verdict: storedVerdict(old as never) } : old;
      if (ready.job.name === "clean" && !(result as Json).verdict.verified) {
        fallen += 1;
        console.log(`falls: ${name}, ${what}: ${(result as Json).verdict.reasons}`);
      }
      await store.put(ready.address, result, notes[ready.job.name] ?? usual);
      count += 1;
      return (await store.get(ready.hash))?.result;
    });
    for (const step of ready.filter(({ result }) => result === undefined)) {
      const old = found(name, unit, step.step.id); // nothing refers to it; it is kept all the same
      if (old === undefined) continue;
      check(step, old, `${nameOf(unit)}: ${step.step.id}`);
      await store.put(step.address, old, usual);
      count += 1;
    }
    if (left.length > 0) console.log(`left: ${name}, ${nameOf(unit)}: ${left}`);
  }
  console.log(`${name}: ${count} results imported, ${fallen} no longer verified`);
}
