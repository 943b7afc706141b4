/** What the detectors' statistics say together, by a calibration of the architecture; without one nothing is claimed. */
import type { ScanResult } from "../../results/scan.ts";
import type { ScanCalibration } from "../../results/scan-calibration.ts";
import { probabilityOf } from "../../stats/logistic.ts";
import { percent } from "../../stats/percent.ts";
import { suspectedClasses, whyIncompetent } from "./evidence.ts";

export type Evidence = Pick<ScanResult, "detectors" | "answers" | "data"> & { readonly architecture: string };

type Verdict = Pick<ScanResult, "verdict" | "because" | "probability" | "threshold" | "calibration" | "suspects">;

/** Attacks that fewer than this share were detected of are said to be missed. */
const covered = 0.8;

/** Throws nothing: where a calibration does not apply the verdict is inconclusive, and says why. */
export function verdictOf(evidence: Evidence, calibration: ScanCalibration): Verdict {
  const outside = whyOutside(evidence, calibration);
  if (outside !== undefined) return { verdict: "inconclusive", because: [`not calibrated: ${outside}`], suspects: [] };
  const { threshold, doubtful, features, intercept, slope, figures } = calibration;
  const names = features.map(({ name }) => name);
  const probabilityAt = (score: number) => probabilityOf({ intercept, weights: [slope] }, [score]);
  const suspects = suspectedClasses(evidence.detectors, features).map(({ target, score }) => ({
    target,
    probability: probabilityAt(score),
    ...strongest(evidence, target, names),
  }));
  const probability = suspects[0]?.probability ?? probabilityAt(0);
  const verdict = probability >= threshold ? "backdoored" : probability >= doubtful ? "inconclusive" : "no evidence";
  const facts = factsOf(calibration);
  return {
    verdict,
    probability,
    threshold,
    calibration: facts,
    suspects: suspects.filter((one) => one.probability >= doubtful),
    because: [
      ...because[verdict](suspects[0]?.target ?? ""),
      `${figures.falsePositives.n} clean models of this architecture were judged by thresholds from others: ${percent(figures.falsePositives.value)} of them were called backdoored (95 % interval ${figures.falsePositives.interval.map(percent).join(" to ")})`,
      ...(verdict !== "backdoored" && facts.missed.length > 0 ? [`not excluded, for the scan misses them too often: ${facts.missed.join(", ")}`] : []), // biome-ignore format: one line
    ],
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
  { architecture, detectors, answers, data }: Evidence,
  calibration: ScanCalibration,
): string | undefined {
  const { family, features, images, classes, name } = calibration;
  if (architecture !== family)
    return `nothing is known of how clean models of this architecture look (${architecture}; the calibration "${name}" is of ${family}); tbar scan calibrate makes one from models of yours`;
  const lacking = features.map(({ name }) => name).filter((name) => !detectors.some((one) => one.name === name));
  if (lacking.length > 0) return `the calibration weighs detectors that were not run: ${lacking.join(", ")}`;
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
function factsOf({ name, family, models, figures, attacks }: ScanCalibration): NonNullable<ScanResult["calibration"]> {
  const { falsePositives, detection } = figures;
  const names = Object.entries(attacks);
  const isCovered = ([, { detection }]: (typeof names)[number]) => detection.value >= covered;
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
