/** The whole of a cleaning without knowledge of the attack, on a model so small that it takes seconds. */
import { expect, test } from "vitest";
import { backdooredFolder, world } from "../../../../test/backdoored-pico.ts";
import { readCheckpoint } from "../../../checkpoint/clip-folder.ts";
import { evaluation } from "../../eval/job.ts";
import { planJob, runJob } from "../../run-job.ts";
import { vectorApply } from "../../vector/job.ts";
import type { Tried } from "../defend.ts";
import { clean } from "../job.ts";
import { chooseOnStandIns } from "./round.ts";

const at = backdooredFolder();

const cleaning = {
  ...world,
  unknown: true,
  methods: ["plain", "relabel", "projection", "i-bau", "ibvs"],
  recipe: { lr: 1e-3, epochs: 2, batch: 16 },
  sizes: { forget: 64, clean: 64, validation: 200, test: 200 },
  recovery: 0,
  rounds: 1,
};

test("scan, proxies, cleaning, scan again: written with its vector, the truth measured apart", async () => {
  const out = at("cleaned");
  const result = await runJob(clean, { ...cleaning, model: at("bad"), suspect: "mint", out });
  const { scan, rounds = [], truth, verdict } = result;
  expect(scan?.detectors.map(({ name }) => name)).toContain("fitted-patch");
  expect(rounds).toHaveLength(1);
  const [{ target, proxies, proxyAsr, retention }] = rounds;
  expect(target).toBe("mint");
  expect(new Set(proxies.map(({ form }) => form)).size).toBeGreaterThan(1);
  expect(proxyAsr.before.value).toBeGreaterThan(0.8);
  expect(retention).toBeGreaterThanOrEqual(0.9);
  expect(result.trigger).toMatchObject({ kind: "inverted", source: "recovered by a scan" });
  // the metadata's trigger is measured, and still declared while it works
  expect(truth).toMatchObject({ trigger: { kind: "blended" }, target: "mint" });
  expect(truth?.asr.before.value).toBeGreaterThan(0.9);
  const isGone = (truth?.asr.after.interval[1] ?? 1) <= 0.05;
  expect((result.remaining ?? []).length).toBe(isGone ? 0 : 1);
  expect(Object.keys(truth?.variants ?? {})).toEqual(Object.keys(result.variants));
  // every rival moved the weights, and none is chosen
  for (const name of ["projection", "i-bau", "ibvs"]) {
    expect(result.variants[name]).toMatchObject({ control: true, chosen: false });
    expect(result.variants[name].alpha).toBeGreaterThan(0);
  }
  expect(verdict.notes?.at(-1)).toContain("recovered triggers");
  expect(result.proof.restore).toBeLessThanOrEqual(2);
  // the receipt's trigger, recovered ones in one, is read back and measured again
  const again = await runJob(evaluation, { ...world, model: out, receipt: out });
  expect(again.asr?.value).toBe(result.after.asr.value);
  const restored = { model: out, vector: `${out}.vector.safetensors`, out: at("restored") };
  await runJob(vectorApply, restored);
  expect(await worst(at("restored"), at("bad"))).toBeLessThan(1e-5);
}, 120_000);

test("beside TBAR's family InverTune runs; what is chosen of them is settled beforehand", async () => {
  const asked = { ...cleaning, model: at("bad"), suspect: "mint", methods: ["tbar"], checks: 0, out: at("usual") };
  const { variants } = await runJob(clean, asked);
  expect(Object.keys(variants)).toEqual(["plain", "anchored", "fisher", "regressed", "invertune"]);
  expect(variants.invertune).toMatchObject({ knob: "lr", control: true });
  expect(variants.invertune.trials[0].alpha).toBe(16);

  const named = (methods: string[]) => planJob(clean, { ...asked, out: undefined, methods });
  const { parts } = await named(["plain", "erase", "anchored", "fisher"]); // what is named runs as it is named
  const whats = parts.map(({ what }) => what);
  expect(whats).toContain("erase");
  expect(whats).not.toContain("invertune");

  const tried = (name: string, asr: number, { satisfied = true, control = false, carriesOver = false } = {}) =>
    ({ defense: { name, control, carriesOver }, repair: { search: { satisfied, margin: 2, best: { ca: rate(0.9), asr: rate(asr) } } } }) as object as Tried; // biome-ignore format: one line
  const rate = (value: number) => ({ value, n: 300, interval: [value, value] });
  const [plain, tuned] = [tried("plain", 0), tried("invertune", 0.04, { control: true, carriesOver: true })];
  const relabel = tried("relabel", 0, { control: true });
  const names = (...all: Tried[]) => chooseOnStandIns(all)?.defense.name;
  expect(names(plain, tuned, relabel)).toBe("invertune");
  const left = tried("invertune", 0.06, { control: true, carriesOver: true });
  expect(names(plain, left)).toBe("plain");
  expect(names(tried("plain", 0.07), left, relabel)).toBe("invertune"); // neither did away with them
  expect(names(plain, tried("invertune", 0, { satisfied: false, control: true, carriesOver: true }))).toBe("plain");
  expect(names(plain, relabel)).toBe("plain");
  expect(names(relabel)).toBe("relabel");
  expect(names(tried("plain", 0, { satisfied: false }), tuned)).toBe("invertune");
}, 120_000);

test("while proxies still work there is another round, from where the last one ended, with proxies of its own", async () => {
  const idle = { lr: 1e-12, epochs: 1, batch: 16 }; // changes nothing
  const asked = { ...cleaning, model: at("bad"), suspect: "mint", methods: ["invertune"], recipe: idle, checks: 0 };
  const { rounds = [], verdict } = await runJob(clean, { ...asked, rounds: 2, out: at("idle") });
  expect(rounds.map(({ target }) => target)).toEqual(["mint", "mint"]);
  for (const { proxyAsr } of rounds) expect(proxyAsr.after.value).toBeGreaterThan(0.5);
  expect(verdict.verified).toBe(false);
}, 120_000);

test("by contrast both towers are cleaned, and what is measured is the written file's own head", async () => {
  const recipe = { objective: "contrastive", lr: 1e-3, epochs: 2, batch: 16 } as const;
  const out = at("cleaned-pairs");
  const asked = { ...cleaning, model: at("bad"), suspect: "mint", methods: ["plain", "fisher"], recipe, checks: 0 };
  const result = await runJob(clean, { ...asked, out });
  expect(result.recipe).toMatchObject({ objective: "contrastive", train: "both", temperature: "frozen" });
  expect(result.rounds?.[0].proxyAsr.before.value).toBeGreaterThan(0.8);
  expect(result.rounds?.[0].retention).toBeGreaterThanOrEqual(0.9);
  expect(result.truth?.asr.before.value).toBeGreaterThan(0.9);
  const [before, after] = [await weightsOf("bad"), await weightsOf("cleaned-pairs")];
  const changed = [...before].filter(([name, { data }]) => maxDifference(data, after.get(name)?.data as never) > 0);
  for (const tower of ["vision_model.", "text_model."]) expect(changed.some(([name]) => name.startsWith(tower))).toBe(true); // biome-ignore format: one line
  expect(result.frozenHead?.ca.n).toBe(result.after.ca.n);
  const again = await runJob(evaluation, { ...world, model: out, receipt: out });
  expect([again.ca.value, again.asr?.value]).toEqual([result.after.ca.value, result.after.asr.value]);
  // a batch is never cut: told before anything is scanned
  const few = planJob(clean, { ...asked, sizes: { ...cleaning.sizes, forget: 10 } });
  await expect(few).rejects.toThrow("of 10 pairs there are none of 16");
}, 120_000);

test("with a base the scans compare with it, before and after", async () => {
  const asked = { ...cleaning, model: at("bad"), base: at("pico"), suspect: "mint", methods: ["plain"], checks: 0 };
  const { scan, rounds = [] } = await runJob(clean, { ...asked, out: at("compared") });
  const [amplified] = scan?.detectors.filter(({ name }) => name === "amplified-patch") ?? [];
  expect(amplified.facts.k).toBeGreaterThan(1);
  expect(rounds).toHaveLength(1);
  const { unknown: _, suspect: __, ...known } = asked;
  await expect(planJob(clean, { ...known, trigger: "badnet", target: "mint" })).rejects.toThrow(
    "--base goes with --unknown",
  );
}, 120_000);

test("--dry-run refuses the same, and counts both scans", async () => {
  const { parts } = await planJob(clean, { ...cleaning, model: at("bad") });
  expect(parts.map(({ what }) => what)).toEqual(
    expect.arrayContaining(["scan", "recover triggers", "plain", "scan again"]),
  );
  await expect(planJob(clean, { ...cleaning, model: at("bad"), suspect: "mnt" })).rejects.toThrow(
    "unknown suspected class",
  );
});

test("what says more of the attack than nothing is refused, a class that is none too", async () => {
  const run = (more: object) => runJob(clean, { ...cleaning, model: at("bad"), ...more });
  await expect(run({ target: "mint" })).rejects.toThrow("--target says what --unknown does without");
  await expect(run({ trigger: "badnet" })).rejects.toThrow("--trigger says");
  await expect(run({ suspect: "mnt" })).rejects.toThrow('unknown suspected class "mnt"; did you mean "mint"?');
});

const weightsOf = async (name: string) => (await readCheckpoint(at(name))).weights();

async function worst(one: string, other: string): Promise<number> {
  const [a, b] = [await (await readCheckpoint(one)).weights(), await (await readCheckpoint(other)).weights()];
  return Math.max(...[...a].map(([name, { data }]) => maxDifference(data, b.get(name)?.data ?? new Float32Array())));
}

const maxDifference = (a: Float32Array, b: Float32Array) =>
  a.reduce((most, v, i) => Math.max(most, Math.abs(v - b[i])), 0);
