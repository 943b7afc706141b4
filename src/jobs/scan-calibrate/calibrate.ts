/** From scans of models whose kind is known to probabilities, thresholds and error rates. */
import type { ScanResult } from "../../results/scan.ts";
import type { ScanCalibration } from "../../results/scan-calibration.ts";
import { auroc } from "../../stats/auroc.ts";
import { logOdds } from "../../stats/log-odds.ts";
import { fitLogistic, probabilityOf } from "../../stats/logistic.ts";
import { rate } from "../../stats/rate.ts";
import { badInput } from "../../tensor/error.ts";
import {
  type Feature,
  features,
  featuresOfModel,
  featuresOnBase,
  figureOf,
  isOfModel,
  suspectedClasses,
  whyIncompetent,
} from "../scan/evidence.ts";

/** A model whose kind is known, and its scan. */
export interface Known {
  readonly isBackdoored: boolean;
  /** Of backdoored ones. */
  readonly attack?: string;
  readonly target?: string;
  /** Models of one parent: they are in one half. */
  readonly lineage: string;
  readonly scan: Pick<ScanResult, "detectors" | "answers">;
}

type Judge = Pick<ScanCalibration, "features" | "intercept" | "slope" | "threshold" | "doubtful">;

/** A model that answers one class to more of the clean images, or is right on fewer, is no classifier of these classes: another task's. */
export const competence = { mostShare: 0.12, leastAccuracy: 0.6 } as const;
/** Of clean models, so many may be called inconclusive. */
const doubted = 0.1;

/** What is weighed: what every scan has. Throws `bad-input` where there is none. */
function weighed(known: readonly Known[]): readonly string[] {
  const ran = (name: string) => known.every(({ scan }) => figureOf(scan.detectors, name) !== undefined);
  const all = [...features, ...featuresOfModel, ...featuresOnBase];
  const names = all.filter(ran);
  if (names.length === 0)
    throw badInput(`a calibration weighs ${all.join(", ")}, and none of these was run in every scan`);
  return names;
}

/** How log odds of each figure lie among the clean ones. */
function featuresOf(clean: readonly Known[], names: readonly string[]): readonly Feature[] {
  return names.map((name) => {
    const odds = clean.map(({ scan }) => logOdds(figureOf(scan.detectors, name) ?? 0));
    const mean = odds.reduce((a, b) => a + b, 0) / odds.length;
    const square = odds.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, odds.length - 1);
    return { name, mean, deviation: Math.max(leastDeviation, Math.sqrt(square)) };
  });
}
/** A few clean models that happen to agree make no certainty. */
const leastDeviation = 0.4;

/** The class that has most of it, and the probability that the model is backdoored. */
export function judged(
  { detectors }: Pick<ScanResult, "detectors">,
  { features, intercept, slope }: Pick<Judge, "features" | "intercept" | "slope">,
) {
  const [first = { target: "", score: 0 }] = suspectedClasses(detectors, features);
  return { ...first, probability: probabilityOf({ intercept, weights: [slope] }, [first.score]) };
}

/** What judges: thresholds that no clean one of these models reaches, and at most one in ten is called inconclusive. */
export function judgeFrom(known: readonly Known[]): Judge {
  const clean = known.filter(({ isBackdoored }) => !isBackdoored);
  const own = featuresOf(clean, weighed(known));
  const scoreOf = ({ scan }: Known) => suspectedClasses(scan.detectors, own)[0]?.score ?? 0;
  const { intercept, weights: [slope] } = fitLogistic(known.map((one) => [scoreOf(one)]), known.map(({ isBackdoored }) => Number(isBackdoored)), ridge); // biome-ignore format: one line
  const scores = (kind: boolean) => known.filter(({ isBackdoored }) => isBackdoored === kind).map(scoreOf).sort((a, b) => a - b); // biome-ignore format: one line
  const [of, others] = [scores(false), scores(true)];
  const highest = of[of.length - 1];
  const above = others.find((score) => score > highest) ?? highest + 1;
  const probability = (score: number) => probabilityOf({ intercept, weights: [slope] }, [score]);
  const threshold = probability((highest + above) / 2);
  const doubtful = probability(of[Math.min(of.length - 1, Math.ceil((1 - doubted) * of.length))]);
  return { features: own, intercept, slope, threshold, doubtful: Math.min(threshold, doubtful) };
}
/** Of the logistic's slope, so that models which are told apart without an error get no certainty. */
const ridge = 1e-3;

/** Two halves of the lineages, as even as their order allows. Throws `bad-input` where either lacks a kind; `outside`: models that were left out. */
export function halves<Of extends Pick<Known, "isBackdoored" | "lineage">>(
  known: readonly Of[],
  outside = 0,
): readonly [readonly Of[], readonly Of[]] {
  const lineages = [...new Set(known.map(({ lineage }) => lineage))];
  const first = new Set(lineages.slice(0, Math.ceil(lineages.length / 2)));
  const split = [
    known.filter(({ lineage }) => first.has(lineage)),
    known.filter(({ lineage }) => !first.has(lineage)),
  ] as const;
  for (const half of split)
    for (const kind of [true, false])
      if (half.filter(({ isBackdoored }) => isBackdoored === kind).length < fewest)
        throw badInput(
          `a calibration takes ${fewest} clean and ${fewest} backdoored models in each half of the lineages, and there are ${lineages.length} lineages with too few: ` +
            "models made from one parent are alike, so that thresholds from some say nothing of the error on the others" +
            (outside > 0 ? `; ${outside} of the models are no classifiers of these classes, and do not count` : ""),
        );
  return split;
}
const fewest = 3;

/** Everything of a calibration that follows from the models. */
export function calibrate(
  all: readonly Known[],
): Pick<
  ScanCalibration,
  | "features"
  | "intercept"
  | "slope"
  | "threshold"
  | "doubtful"
  | "mostShare"
  | "leastAccuracy"
  | "thresholds"
  | "models"
  | "figures"
  | "attacks"
> {
  const known = all.filter(({ scan }) => whyIncompetent(scan.answers, competence) === undefined);
  const [one, other] = halves(known, all.length - known.length);
  const tried = [...judge(one, judgeFrom(other)), ...judge(other, judgeFrom(one))];
  const clean = tried.filter(({ isBackdoored }) => !isBackdoored);
  const backdoored = tried.filter(({ isBackdoored }) => isBackdoored);
  const share = <T>(some: readonly T[], is: (one: T) => boolean) => rate(some.filter(is).length, some.length);
  const detected = backdoored.filter(({ verdict }) => verdict === "backdoored");
  const scores = (some: typeof tried) => some.map(({ probability }) => probability);
  const loss = (of: (p: number, y: number) => number) =>
    [clean, backdoored].reduce(
      (sum, some) =>
        sum +
        some.reduce((n, { probability, isBackdoored }) => n + of(probability, Number(isBackdoored)), 0) /
          some.length /
          2,
      0,
    );
  const attacks = [...new Set(backdoored.map(({ attack = "unnamed" }) => attack))].sort();
  return {
    ...judgeFrom(known),
    ...competence,
    thresholds: Object.fromEntries(weighed(known).filter((name) => !isOfModel(name)).map((name) => [name, alone(known, name)])), // biome-ignore format: one line
    models: {
      clean: clean.length,
      backdoored: backdoored.length,
      outside: all.length - known.length,
      lineages: [...new Set(known.map(({ lineage }) => lineage))],
    },
    figures: {
      falsePositives: share(clean, ({ verdict }) => verdict === "backdoored"),
      inconclusive: {
        clean: share(clean, ({ verdict }) => verdict === "inconclusive"),
        backdoored: share(backdoored, ({ verdict }) => verdict === "inconclusive"),
      },
      detection: share(backdoored, ({ verdict }) => verdict === "backdoored"),
      target: share(detected, ({ isTarget }) => isTarget),
      auroc: auroc(scores(backdoored), scores(clean)),
      crossEntropy: loss((p, y) => -Math.log(Math.max(1e-12, y === 1 ? p : 1 - p))),
      brier: loss((p, y) => (p - y) ** 2),
      detectionAt: {
        "0.01": at(scores(clean), scores(backdoored), 0.01),
        "0.05": at(scores(clean), scores(backdoored), 0.05),
      },
    },
    attacks: Object.fromEntries(
      attacks.map((name) => {
        const of = backdoored.filter(({ attack = "unnamed" }) => attack === name);
        const found = of.filter(({ verdict }) => verdict === "backdoored");
        return [
          name,
          {
            detection: rate(found.length, of.length),
            inconclusive: share(of, ({ verdict }) => verdict === "inconclusive"),
            target: share(found, ({ isTarget }) => isTarget),
          },
        ];
      }),
    ),
  };
}

/** Models as a judge sees them that others have set the thresholds of. */
const judge = (known: readonly Known[], by: Judge) =>
  known.map((one) => {
    const { probability, target } = judged(one.scan, by);
    const verdict =
      probability >= by.threshold ? "backdoored" : probability >= by.doubtful ? "inconclusive" : "no evidence";
    return { ...one, probability, verdict, isTarget: target === one.target };
  });

/** Detection at the threshold that this share of the clean models reach at most. */
function at(clean: readonly number[], backdoored: readonly number[], share: number) {
  const sorted = [...clean].sort((a, b) => b - a);
  const limit = sorted[Math.floor(share * sorted.length)];
  return rate(backdoored.filter((p) => p > limit).length, backdoored.length);
}

/** Halfway between what the most suspicious clean model reaches in one detector and the next backdoored one above it. */
function alone(known: readonly Known[], name: string): number {
  const of = (kind: boolean) => known.filter(({ isBackdoored }) => isBackdoored === kind).map(({ scan }) => figureOf(scan.detectors, name) ?? 0).sort((a, b) => a - b); // biome-ignore format: one line
  const highest = of(false).at(-1) ?? 0;
  return (highest + (of(true).find((value) => value > highest) ?? 1)) / 2;
}
