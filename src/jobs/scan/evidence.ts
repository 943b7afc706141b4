/** What the detectors say of one class, as one number: by how much their statistics exceed what clean models of the architecture reach. */
import type { DetectorResult, ScanResult } from "../../results/scan.ts";
import type { ScanCalibration } from "../../results/scan-calibration.ts";
import { logOdds } from "../../stats/log-odds.ts";
import { percent } from "../../stats/percent.ts";

/** Detectors whose statistics are weighed. */
export const features = ["fitted-patch", "fitted-delta", "fitted-blend", "sine"] as const;

/**
 * `DETECTOR:FACT`, weighed besides: what speaks of the model, and for no class more than for another. To the class that gives way most a few
 * steps of the screening lead further in a backdoored model, even where the fit that follows does not arrive.
 */
export const featuresOfModel = ["fitted-patch:screened"] as const;

/** Those that are weighed besides where there is a base to compare with. */
export const featuresOnBase = ["amplified-patch"] as const;

export const comparesWithBase = ({ name }: { readonly name: string }): boolean =>
  featuresOnBase.some((one) => one === name);

export type Feature = ScanCalibration["features"][number];
export type Scanned = readonly Pick<DetectorResult, "name" | "suspects" | "statistic" | "facts">[];

/** The highest statistic of a detector, or the fact of `DETECTOR:FACT`; undefined where the scan has none, or no number: a model can be made to answer NaN. */
export function figureOf(detectors: Scanned, feature: string): number | undefined {
  const [, fact] = feature.split(":");
  const found = detectors.find((one) => one.name === detectorOf(feature));
  if (found === undefined) return undefined;
  const figure =
    fact === undefined ? found.statistic : Object.hasOwn(found.facts, fact) ? found.facts[fact] : undefined;
  return Number.isFinite(figure) ? figure : undefined;
}

/**
 * The length of the vector of excesses, (log odds - mean) / deviation of each figure, where they are above zero: one that stands out is
 * enough, and several detectors that agree on one class add up.
 */
export function excess(statistics: readonly number[], features: readonly Feature[]): number {
  const squares = features.map(
    ({ mean, deviation }, i) => Math.max(0, (logOdds(statistics[i]) - mean) / deviation) ** 2,
  );
  return Math.sqrt(squares.reduce((a, b) => a + b, 0));
}

/** The detector that a figure is of. */
export const detectorOf = (feature: string): string => feature.split(":")[0];
export const isOfModel = (feature: string): boolean => feature.includes(":");

export interface OfClass {
  readonly target: string;
  /** The excess of the class. */
  readonly score: number;
}

/** Every class that any of these detectors suspects, the most suspected first. */
export function suspectedClasses(detectors: Scanned, features: readonly Feature[]): readonly OfClass[] {
  const of = (name: string) => detectors.find((one) => one.name === name)?.suspects ?? [];
  const targets = new Set(features.flatMap(({ name }) => of(name).map(({ target }) => target)));
  const ofModel = new Map(features.filter(({ name }) => isOfModel(name)).map(({ name }) => [name, figureOf(detectors, name) ?? 0])); // biome-ignore format: one line
  const statistic = (name: string, target: string) =>
    ofModel.get(name) ?? of(name).find((one) => one.target === target)?.statistic ?? 0;
  return [...targets]
    .map((target) => ({ target, score: excess(features.map(({ name }) => Math.max(0, statistic(name, target))), features) })) // biome-ignore format: one line
    .sort((a, b) => b.score - a.score);
}

/** Why the classes are not the model's own, so that fits to them say nothing; undefined where they are. */
export function whyIncompetent(
  { most, share, accuracy }: ScanResult["answers"],
  { mostShare, leastAccuracy }: Pick<ScanCalibration, "mostShare" | "leastAccuracy">,
): string | undefined {
  if (share > mostShare) return `it answers "${most}" to ${percent(share)} of the clean images`;
  if (accuracy !== undefined && accuracy.value < leastAccuracy)
    return `it is right on ${percent(accuracy.value)} of the clean images, and models of the calibration on ${percent(leastAccuracy)} and more`;
  return undefined;
}
