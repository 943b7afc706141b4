/** What a result was asked to reach, and where a defense falls short of it. */
import type { CleanResult, Variant } from "../results/clean.ts";
import { round } from "./numbers.ts";

export type Limits = NonNullable<CleanResult["verdict"]["limits"]>;

/** Results of 0.1.0 do not state theirs: these held for all of them. */
const first: Limits = { asr: 0.02, retention: 0.9 };

export function limitsOf({ limits = first }: CleanResult["verdict"]): Limits {
  return limits;
}

/** In words, on test images; none where the limits are met. */
export function shortcomings({ after, retention, retentionInterval }: Variant, limits: Limits): string[] {
  const { triggered = 0 } = limits;
  const mended = (after.triggeredAccuracy?.value ?? 1) / after.ca.value;
  return [
    after.asr.interval[1] > limits.asr && `upper bound of ASR above ${round(limits.asr)}`,
    (retentionInterval?.[0] ?? retention) < limits.retention &&
      `lower bound of CA kept below ${round(limits.retention)}`,
    mended < triggered && `right on triggered images less than ${round(triggered)} as often as on clean ones`,
  ].filter((text) => text !== false);
}
