/** What the detectors say of one class, side by side: a trigger of several forms that leads to one place is evidence that adds up. */
import type { DetectorResult } from "../../results/scan.ts";

/** Detectors whose statistics are weighed, in the order of a calibration's weights. */
export const features = ["fitted-patch", "fitted-delta", "fitted-blend", "sine"] as const;

export interface OfClass {
  readonly target: string;
  /** The statistic of each feature's detector for this class; 0 where the class is not among its suspects. */
  readonly statistics: readonly number[];
}

/** Every class that any of these detectors suspects. */
export function evidenceByClass(
  detectors: readonly Pick<DetectorResult, "name" | "suspects">[],
  of: readonly string[] = features,
): readonly OfClass[] {
  const targets = new Set(of.flatMap((name) => suspectsOf(detectors, name).map(({ target }) => target)));
  return [...targets].map((target) => ({
    target,
    statistics: of.map((name) =>
      Math.max(0, suspectsOf(detectors, name).find((one) => one.target === target)?.statistic ?? 0),
    ),
  }));
}

const suspectsOf = (detectors: readonly Pick<DetectorResult, "name" | "suspects">[], name: string) =>
  detectors.find((one) => one.name === name)?.suspects ?? [];

/** The class with most evidence: the largest sum of statistics. */
export function mostSuspected(classes: readonly OfClass[]): OfClass | undefined {
  const sum = ({ statistics }: OfClass) => statistics.reduce((a, b) => a + b, 0);
  return classes.reduce<OfClass | undefined>(
    (best, one) => (best === undefined || sum(one) > sum(best) ? one : best),
    undefined,
  );
}
