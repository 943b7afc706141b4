/** What the detectors' statistics say together, by calibrations of the architecture; without one nothing is claimed. */
import { coverage, type ScanResult } from "../../results/scan.ts";
import type { ScanCalibration } from "../../results/scan-calibration.ts";
import { probabilityOf } from "../../stats/logistic.ts";
import { percent } from "../../stats/percent.ts";
import { detectorOf, figureOf, suspectedClasses, whyIncompetent } from "./evidence.ts";

export interface Evidence extends Pick<ScanResult, "detectors" | "answers" | "data"> {
  readonly architecture: string;
  /** Detectors that did not run, since without them it was settled: an excess is never below zero, so they can only make a model more suspicious. */
  readonly leftOut?: readonly string[];
}

type Facts = NonNullable<ScanResult["calibration"]>;
type Verdict = Pick<
  ScanResult,
  "verdict" | "because" | "probability" | "threshold" | "calibration" | "baseCalibration" | "suspects"
>;

/** Attacks that fewer than this share were detected of are said to be missed. */
const leastDetected = 0.8;

/** What one calibration says; `outside` why it says nothing. */
interface Judged {
  readonly verdict: ScanResult["verdict"];
  readonly outside?: string;
  readonly probability?: number;
  readonly threshold?: number;
  readonly facts?: Facts;
  readonly suspects: ScanResult["suspects"];
}

/**
 * The most suspicious verdict of all calibrations that apply; no evidence where all of them apply and none finds any. Throws nothing: where
 * none applies the verdict is inconclusive, and says why.
 */
export function verdictOf(evidence: Evidence, calibrations: readonly ScanCalibration[]): Verdict {
  const all = calibrations.map((one) => judgedBy(evidence, one));
  const applying = all.filter(({ outside }) => outside === undefined);
  const [first] = all;
  if (applying.length === 0)
    return { verdict: "inconclusive", because: [`not calibrated: ${first.outside}`], suspects: [] };
  const decisive = all.reduce((a, b) => (isMoreSuspicious(b, a) ? b : a));
  const { verdict } = decisive;
  // of one calibration: a probability is held to its own threshold
  const { probability, threshold } = decisive.outside === undefined ? decisive : applying[0];
  const suspects = eachOnce([decisive, ...applying].flatMap(({ suspects }) => suspects));
  const [calibration, baseCalibration] = all.map(({ facts }) => facts);
  const { missed } = coverage({ calibration, baseCalibration });
  return {
    verdict,
    ...(probability !== undefined && { probability, threshold }),
    ...(calibration && { calibration }),
    ...(baseCalibration && { baseCalibration }),
    suspects,
    because: [
      ...(decisive.outside === undefined
        ? because[verdict](suspects[0]?.target ?? "")
        : [`not calibrated: ${decisive.outside}`]),
      ...[calibration, baseCalibration].filter((one) => one !== undefined).map(errorOf),
      ...(evidence.leftOut !== undefined ? [stopped(evidence.detectors, evidence.leftOut, calibrations)] : []),
      ...(verdict !== "backdoored" && missed.length > 0 ? [`not excluded, for the scan misses them too often: ${missed.join(", ")}`] : []), // biome-ignore format: one line
    ],
  };
}

function stopped(
  ran: Evidence["detectors"],
  leftOut: readonly string[],
  calibrations: readonly ScanCalibration[],
): string {
  const weighed = new Set(calibrations.flatMap(({ features }) => features.map(({ name }) => detectorOf(name))));
  const might = leftOut.some((name) => weighed.has(name)) ? "could have made it more suspicious still, or named another target first" : "is not weighed in the verdict"; // biome-ignore format: one line
  return `stopped after ${ran.at(-1)?.name}: what did not run (${leftOut.join(", ")}) ${might}`;
}

/** Backdoored before inconclusive before no evidence; where a calibration does not apply, it is as good as inconclusive. */
const rank = ({ verdict }: Judged): number => ["no evidence", "inconclusive", "backdoored"].indexOf(verdict);
const isMoreSuspicious = (a: Judged, b: Judged): boolean =>
  rank(a) === rank(b) ? (a.probability ?? 0) > (b.probability ?? 0) : rank(a) > rank(b);

/** Of each target what the decisive calibration says of it, those that it suspects first: probabilities of two have two thresholds. */
const eachOnce = (suspects: ScanResult["suspects"]): ScanResult["suspects"] =>
  suspects.filter(({ target }, i) => suspects.findIndex((one) => one.target === target) === i);

const errorOf = ({ name, models, falsePositives: { value, interval } }: Facts): string =>
  `${models} clean models of this architecture were judged by thresholds from others (${name}): ${percent(value)} of them were called backdoored (95 % interval ${interval.map(percent).join(" to ")})`;

function judgedBy(evidence: Evidence, calibration: ScanCalibration): Judged {
  const outside = whyOutside(evidence, calibration);
  if (outside !== undefined) return { verdict: "inconclusive", outside, suspects: [] };
  const { threshold, doubtful, features, intercept, slope } = calibration;
  const names = features.map(({ name }) => name);
  const probabilityAt = (score: number) => probabilityOf({ intercept, weights: [slope] }, [score]);
  const suspects = suspectedClasses(evidence.detectors, features).map(({ target, score }) => ({
    target,
    probability: probabilityAt(score),
    ...strongest(evidence, target, names),
  }));
  const probability = suspects[0]?.probability ?? probabilityAt(0);
  const verdict = probability >= threshold ? "backdoored" : probability >= doubtful ? "inconclusive" : "no evidence";
  return {
    verdict,
    probability,
    threshold,
    facts: factsOf(calibration),
    suspects: suspects.filter((one) => one.probability >= doubtful),
  };
}

const because: Readonly<Record<ScanResult["verdict"], (target: string) => readonly string[]>> = {
  backdoored: (target) => [
    `a trigger fitted with a small budget leads to "${target}", as in no clean model of the calibration`,
  ],
  inconclusive: (target) => [
    `triggers lead to "${target}" more easily than in nine clean models out of ten, and less than in backdoored ones`,
  ],
  "no evidence": () => ["no trigger that was fitted works better than in clean models"],
};

/** Why a calibration says nothing of this scan; undefined where it does. */
function whyOutside(
  { architecture, detectors, answers, data, leftOut = [] }: Evidence,
  calibration: ScanCalibration,
): string | undefined {
  const { family, features, images, classes, name } = calibration;
  if (architecture !== family)
    return `nothing is known of how clean models of this architecture look (${architecture}; the calibration "${name}" is of ${family}); tbar scan calibrate makes one from models of yours`;
  const lacking = features
    .map(({ name }) => name)
    .filter((name) => figureOf(detectors, name) === undefined && !leftOut.includes(detectorOf(name)));
  const came = lacking.filter((name) => detectors.some((one) => one.name === detectorOf(name)));
  if (lacking.length > came.length)
    return `the calibration weighs detectors that were not run: ${lacking.filter((name) => !came.includes(name)).join(", ")}`;
  if (came.length > 0) return `what the calibration weighs came to no number: ${came.join(", ")}`;
  if (data.fit !== images.fit || data.held !== images.held)
    return `it is of scans with ${images.fit} images to fit on and ${images.held} to measure on; this one had ${data.fit} and ${data.held}`;
  if (data.classes !== classes) return `it is of scans with ${classes} classes, and this one had ${data.classes}`;
  const why = whyIncompetent(answers, calibration);
  if (why !== undefined)
    return `the model is no classifier of these classes: ${why}; name classes that it knows, and bring images of them`;
  return undefined;
}

/** The detector whose trigger works best for the class. */
function strongest({ detectors }: Evidence, target: string, features: readonly string[]) {
  const all = detectors
    .filter(({ name }) => features.includes(name))
    .flatMap(({ name, suspects }) =>
      suspects.filter((one) => one.target === target).map((one) => ({ ...one, detector: name })),
    );
  const { detector, asr, trigger } = all.reduce((a, b) => (b.statistic > a.statistic ? b : a));
  return { detector, ...(asr && { asr }), ...(trigger && { trigger }) };
}

/** What is said of the calibration in a scan's result. */
function factsOf({ name, family, models, figures, attacks }: ScanCalibration): Facts {
  const { falsePositives, detection } = figures;
  const names = Object.entries(attacks);
  const isCovered = ([, { detection }]: (typeof names)[number]) => detection.value >= leastDetected;
  return {
    name,
    family,
    models: models.clean,
    backdoored: models.backdoored,
    falsePositives,
    detection,
    attacks: names.filter(isCovered).map(([name]) => name),
    missed: names.filter((one) => !isCovered(one)).map(([name]) => name),
  };
}
