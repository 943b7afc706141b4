/** The stages of a cleaning and the work in each. */
import { anchorShare } from "../../defenses/anchored.ts";
import type { Cost, Defense } from "../../defenses/defense.ts";
import { type Part, stepParts } from "../progress/stages.ts";
import type { StepWork } from "../progress/tower-work.ts";

interface Cleaning {
  readonly defenses: readonly Defense[];
  readonly forget: number;
  readonly clean: number;
  readonly validation: number;
  readonly test: number;
  /** The set that the model was trained on, where there is one. */
  readonly training?: number;
  readonly epochs: number;
  /** Has the forget set been learned elsewhere? */
  readonly learned?: boolean;
  /** Do the triggers only stand for the attack's own? */
  readonly onStandIns?: boolean;
  /** What a training step takes of one that trains all, where less learns. */
  readonly step?: StepWork;
  readonly checks: number;
  readonly recoverySteps: number;
  readonly curvePoints: number;
  /** Is there a clean control model to compare with? */
  readonly hasControl: boolean;
}

/** Images of a step of the training after cleaning. */
export const recoveryBatch = 32;

/** So many clean images of a part a clean control model is asked: what it cannot read is known to a few points then, of which the verdict takes half. */
export const controlImages = 500;

/** What a defense takes among others. */
export function costOf(
  defense: Defense,
  sizes: Pick<Cleaning, "forget" | "clean" | "training" | "epochs" | "learned" | "onStandIns">,
  all: readonly Defense[],
): Cost {
  const anchored = sizes.forget + Math.round(anchorShare * sizes.forget);
  const names = all.map(({ name }) => name);
  return defense.cost({ ...sizes, anchored }, names);
}

export function cleanStages(job: Cleaning): readonly Part[] {
  const { defenses, recoverySteps, step } = job;
  const [validation, test] = [2 * job.validation, 2 * job.test];
  const checked = 2 * Math.min(job.checks, job.test);
  const control = [job.validation, job.test].reduce((n, images) => n + 2 * Math.min(controlImages, images), 0);
  return [
    {
      what: "measure before",
      measures: true as const,
      read: validation + test,
      encoded: validation + test + (job.hasControl ? control : 0),
    },
    ...defenses.flatMap((defense) => {
      const { name } = defense;
      const { trained, encoded, measured, searches = measured === undefined ? 1 : 0 } = costOf(defense, job, defenses);
      return [
        { what: name, ...stepParts(trained, step, encoded) },
        ...(measured === undefined
          ? []
          : [{ what: `${name}: knob`, measures: true as const, encoded: measured * validation }]),
        ...(searches === 0
          ? []
          : [{ what: `${name}: alpha`, measures: true as const, searched: searches * validation }]),
        { what: `${name}: test`, measures: true as const, encoded: test + job.curvePoints * validation },
      ];
    }),
    { what: "verify", measures: true as const, encoded: 3 * checked },
    ...(job.checks > 0 && recoverySteps > 0 ? [{ what: "recovery", trained: recoveryBatch * recoverySteps }] : []),
  ];
}
