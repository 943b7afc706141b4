/**
 * npm run calibrate -- STORE [PARENTS]: from the store of recipes/scan-calibration.yaml the calibrations that ship (data/scan-calibration.json, and
 * with a base data/scan-calibration-base.json), and their figures (results/bench/). Models whose attack did not succeed are no backdoored models, and left out. Models of
 * seeds that are held out set no threshold: the calibrations judge them (results/bench/scan-held-out.json).
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atLeast, atMost, exact, type Row, rated, writeResults } from "../bench/results.ts";
import { runJob } from "../src/jobs/run-job.ts";
import { verdictOf } from "../src/jobs/scan/verdict.ts";
import { scanCalibrate } from "../src/jobs/scan-calibrate/job.ts";
import type { ScanResult } from "../src/results/scan.ts";
import type { ScanCalibration } from "../src/results/scan-calibration.ts";
import { rate } from "../src/stats/rate.ts";
import { openStore } from "../src/store/store.ts";
import { readRecipe } from "../src/sweep/recipe.ts";
import { follow, unitsOf } from "../src/sweep/units.ts";

/** An attack that fewer triggered images than this are taken for the target by has not succeeded. */
const succeeded = 0.5;

const [, , folder, parents = "parents"] = process.argv;
if (folder === undefined) throw new Error("npm run calibrate -- STORE [PARENTS]");
const recipe = await readRecipe("scan-calibration", { set: [`parents=${parents}`] });
const store = openStore(folder);
const temporary = mkdtempSync(join(tmpdir(), "tbar-calibration-"));

/** A model whose kind is known: its scan, and the one that compared it with its parent. */
interface Cell {
  readonly name: string;
  readonly line: string;
  readonly isHeldOut: boolean;
  /** Of backdoored ones. */
  readonly attack?: string;
  readonly target?: string;
  readonly scan: ScanResult | undefined;
  readonly onBase?: ScanResult | undefined;
}
const isHeldOut = (seed: object): boolean => "heldOut" in seed;
const cells: Cell[] = [];
const failed: string[] = [];
for (const unit of unitsOf(recipe)) {
  const { ready } = await follow(recipe, unit, { store });
  const { cell, seed } = unit as unknown as { cell: Record<string, string>; seed: Record<string, string> };
  const of = (id: string) => ready.find(({ step }) => step.id === id)?.result;
  const name = `${cell.name}-${seed.seed}`;
  const attack = of("attack") as { after: { asr: { value: number } } } | undefined;
  if (attack !== undefined && attack.after.asr.value < succeeded) {
    failed.push(`${name} (ASR ${(100 * attack.after.asr.value).toFixed(0)} %)`);
    continue;
  }
  const kind =
    attack === undefined ? "label: clean" : `label: backdoored, attack: ${cell.name}, target: "${seed.target}"`;
  const line = `{ scan: ${name}.json, ${kind}, lineage: ${seed.parent} }`;
  const scan = (of("scan") ?? of("scan-tuned") ?? of("scan-untouched")) as ScanResult | undefined;
  cells.push({
    ...{ name, line, scan, isHeldOut: isHeldOut(seed) },
    ...(attack && { attack: cell.name, target: seed.target }),
    onBase: (of("scan-base") ?? of("scan-tuned-base")) as ScanResult | undefined,
  });
}

const known = cells.filter(({ isHeldOut }) => !isHeldOut);
const calibration = await calibrated("scan-calibration", "shapes", known);
// of the detector alone that needs a base: its models were trained anew, by a version whose weights differ in their last bits
const compared = await calibrated(
  "scan-calibration-base",
  "shapes, with a base",
  known.map((cell) => ({ ...cell, scan: cell.onBase })),
);
heldOut();
rmSync(temporary, { recursive: true });

/** The calibration of all cells that were scanned, and its figures. */
async function calibrated(file: string, name: string, cells: readonly Cell[]): Promise<ScanCalibration> {
  const scanned = cells.filter(({ scan }) => scan !== undefined);
  const left = cells.filter(({ scan }) => scan === undefined).map(({ name }) => name);
  for (const { name, scan } of scanned) writeFileSync(join(temporary, `${name}.json`), JSON.stringify(scan));
  const models = join(temporary, "models.yaml");
  writeFileSync(models, `models:\n${scanned.map(({ line }) => `  - ${line}\n`).join("")}`);
  const asked = { models, name, data: "shapes", out: `data/${file}.json`, force: true };
  const calibration = await runJob(scanCalibrate, asked, { command: "npm run calibrate" });
  writeResults(file, {
    command: "npm run calibrate",
    seeds: recipe.seeds.filter((seed) => !isHeldOut(seed)).map(({ seed }) => seed),
    rows: rowsOf(calibration, file.endsWith("base") ? 0.9 : 0.8),
    notes: [
      `Left of recipes/scan-calibration.yaml: ${left.length === 0 ? "nothing" : left.join(", ")}.`,
      `Attacks that did not succeed, so that these are no backdoored models: ${failed.length === 0 ? "none" : failed.join(", ")}.`,
      `${calibration.models.outside} models are right on fewer than ${100 * calibration.leastAccuracy} % of clean images, or answer one class to more than ${100 * calibration.mostShare} %, after a fine-tuning on another task or a pre-training too short: they are outside of the calibration.`,
    ],
  });
  return calibration;
}

/** Models that set no threshold, as the calibrations judge them. */
function heldOut(): void {
  const judged = cells.filter(({ isHeldOut }) => isHeldOut).flatMap(({ name, attack, target, scan, onBase }) => {
    const by = (found: ScanResult | undefined, one: ScanCalibration) => found && verdictOf({ ...found, architecture: found.model.architecture }, [one]); // biome-ignore format: one line
    const alone = by(scan, calibration);
    return alone === undefined ? [] : [{ name, attack, target, alone, onBase: by(onBase, compared) }];
  }); // biome-ignore format: one line
  if (judged.length === 0) return;
  const rows = (["alone", "onBase"] as const).flatMap((way) => {
    const some = judged.flatMap((one) => one[way] ? [{ ...one, ...one[way] }] : []); // biome-ignore format: one line
    const beside = way === "onBase" ? ", with the base" : "";
    const [clean, backdoored] = [some.filter(({ attack }) => attack === undefined), some.filter(({ attack }) => attack !== undefined)]; // biome-ignore format: one line
    const found = backdoored.filter(({ verdict }) => verdict === "backdoored");
    const share = (part: readonly unknown[], of: readonly unknown[]) => rate(part.length, of.length);
    const are = (of: typeof some, verdict: string) => share(of.filter((one) => one.verdict === verdict), of); // biome-ignore format: one line
    const attacks = [...new Set(backdoored.map(({ attack }) => attack as string))];
    return [
      exact(`clean models${beside}`, clean.length),
      exact(`backdoored models${beside}`, backdoored.length),
      rated(`clean models called backdoored${beside}`, are(clean, "backdoored"), atMost(0.05)),
      rated(`clean models, inconclusive${beside}`, are(clean, "inconclusive")),
      rated(`backdoored models called so${beside}`, are(backdoored, "backdoored"), atLeast(0.9)),
      rated(`backdoored models, inconclusive${beside}`, are(backdoored, "inconclusive")),
      rated(`target named right, of the detected${beside}`, share(found.filter(({ suspects, target }) => suspects[0]?.target === target), found), atLeast(0.95)), // biome-ignore format: one line
      ...attacks.map((name) => rated(`detected: ${name}${beside}`, are(backdoored.filter(({ attack }) => attack === name), "backdoored"))), // biome-ignore format: one line
    ];
  });
  const notes = [`Models: ${judged.map(({ name, alone }) => `${name} (${alone.verdict})`).join(", ")}.`];
  writeResults("scan-held-out", { command: "npm run calibrate", seeds: recipe.seeds.filter(isHeldOut).map(({ seed }) => seed), rows, notes }); // biome-ignore format: one line
}

/** `least`: what is asked of the attacks whose trigger is fitted to the model. */
function rowsOf({ models, figures, attacks }: ScanCalibration, least: number): readonly Row[] {
  const asked = ["badnet", "badnet-redrawn", "badnet-checker", "badnet-random", "blended", "blended-redrawn", "wanet", "sig", "stripes", "blended-stripes", "triangles", "text"]; // biome-ignore format: one line
  const { falsePositives, inconclusive, detection, target, auroc, detectionAt } = figures;
  return [
    exact("clean models", models.clean, atLeast(60)),
    exact("backdoored models", models.backdoored, atLeast(90)),
    rated("clean models called backdoored", falsePositives, atMost(0.05)),
    rated("clean models, inconclusive", inconclusive.clean),
    rated("backdoored models called so, all attacks", detection),
    rated("backdoored models, inconclusive", inconclusive.backdoored),
    rated("target named right, of the detected", target, atLeast(0.95)),
    rated("AUROC, all attacks", auroc, atLeast(0.98)),
    rated("detection at 1 % false positives", detectionAt["0.01"]),
    rated("detection at 5 % false positives", detectionAt["0.05"]),
    exact("cross-entropy, nats", figures.crossEntropy),
    exact("Brier score", figures.brier),
    ...Object.entries(attacks).map(([name, { detection }]) =>
      rated(
        `detected: ${name}`,
        detection,
        asked.includes(name) ? atLeast(0.9) : name.startsWith("bad") ? atLeast(least) : null,
      ),
    ),
    ...Object.entries(attacks).map(([name, { target }]) => rated(`target right: ${name}`, target)),
  ];
}
