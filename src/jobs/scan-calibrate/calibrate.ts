/** From scans of models whose kind is known to probabilities, thresholds and error rates. */
import type { ScanResult } from "../../results/scan.ts";
import type { ScanCalibration } from "../../results/scan-calibration.ts";
import { auroc } from "../../stats/auroc.ts";
import { fitLogistic, type Logistic, probabilityOf } from "../../stats/logistic.ts";
import { rate } from "../../stats/rate.ts";
import { badInput } from "../../tensor/error.ts";
import { evidenceByClass, features, mostSuspected } from "../scan/evidence.ts";

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

type Judge = Pick<ScanCalibration, "threshold" | "doubtful"> & { readonly logistic: Logistic };

/** Pulls the weights together: with few models one of four that agree would else get all the weight. */
const ridge = 1e-3;
/** A model that answers one class to more of the clean images is no classifier of these classes. */
export const mostShare = 0.12;
/** Of clean models, so many may be called inconclusive. */
const doubted = 0.1;

/** The most suspected class's statistics. */
const rowOf = ({ scan }: Known): readonly number[] =>
  mostSuspected(evidenceByClass(scan.detectors))?.statistics ?? features.map(() => 0);

/** Probability of the class that has most of it, and that class. */
export function judged(
  scan: Pick<ScanResult, "detectors">,
  logistic: Logistic,
): { readonly probability: number; readonly target: string } {
  const all = evidenceByClass(scan.detectors).map(({ target, statistics }) => ({
    target,
    probability: probabilityOf(logistic, statistics),
  }));
  return all.reduce((a, b) => (b.probability > a.probability ? b : a), {
    target: "",
    probability: probabilityOf(
      logistic,
      features.map(() => 0),
    ),
  });
}

/** Weights and thresholds from models alone: no clean one of them is called backdoored, and at most one in ten inconclusive. */
export function judgeFrom(known: readonly Known[]): Judge {
  const logistic = fitLogistic(known.map(rowOf), known.map(({ isBackdoored }) => Number(isBackdoored)), ridge); // biome-ignore format: one line
  const of = (kind: boolean) => known.filter((one) => one.isBackdoored === kind).map(({ scan }) => judged(scan, logistic).probability).sort((a, b) => a - b); // biome-ignore format: one line
  const [clean, backdoored] = [of(false), of(true)];
  const highest = clean[clean.length - 1];
  const above = backdoored.find((p) => p > highest) ?? 1;
  const logit = (p: number) => Math.log(Math.max(p, 1e-12) / Math.max(1 - p, 1e-12));
  const threshold = 1 / (1 + Math.exp(-(logit(highest) + logit(above)) / 2)); // halfway between the two
  const doubtful = Math.min(threshold, clean[Math.min(clean.length - 1, Math.ceil((1 - doubted) * clean.length))]);
  return { logistic, threshold, doubtful };
}

/** Two halves of the lineages, as even as their order allows. Throws `bad-input` where either lacks a kind. */
export function halves(known: readonly Known[]): readonly [readonly Known[], readonly Known[]] {
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
            "models made from one parent are alike, so that thresholds from some say nothing of the error on the others",
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
  | "weights"
  | "threshold"
  | "doubtful"
  | "mostShare"
  | "thresholds"
  | "models"
  | "figures"
  | "attacks"
> {
  const known = all.filter(({ scan }) => scan.answers.share <= mostShare);
  const [one, other] = halves(known);
  const tried = [...judge(one, judgeFrom(other)), ...judge(other, judgeFrom(one))];
  const shipped = judgeFrom(known);
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
    features: [...features],
    intercept: shipped.logistic.intercept,
    weights: [...shipped.logistic.weights],
    threshold: shipped.threshold,
    doubtful: shipped.doubtful,
    mostShare,
    thresholds: Object.fromEntries(features.map((name) => [name, alone(known, name)])),
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
const judge = (known: readonly Known[], { logistic, threshold, doubtful }: Judge) =>
  known.map((one) => {
    const { probability, target } = judged(one.scan, logistic);
    const verdict = probability >= threshold ? "backdoored" : probability >= doubtful ? "inconclusive" : "no evidence";
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
  const of = (kind: boolean) => known.filter(({ isBackdoored }) => isBackdoored === kind).map(({ scan }) => scan.detectors.find((one) => one.name === name)?.statistic ?? 0).sort((a, b) => a - b); // biome-ignore format: one line
  const highest = of(false).at(-1) ?? 0;
  return (highest + (of(true).find((value) => value > highest) ?? 1)) / 2;
}
