/** How well a score tells two kinds apart. */
import { z95 } from "./rate.ts";

export interface Auroc {
  readonly value: number;
  /** 95 %, DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988). */
  readonly interval: readonly [number, number];
}

/** The share of pairs in which the positive one has the higher score; ties count half. NaN where one kind is missing. */
export function auroc(positive: readonly number[], negative: readonly number[]): Auroc {
  const psi = (a: number, b: number) => (a > b ? 1 : a === b ? 0.5 : 0);
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const above = positive.map((p) => mean(negative.map((n) => psi(p, n))));
  const below = negative.map((n) => mean(positive.map((p) => psi(p, n))));
  const value = mean(above);
  const variance = (values: readonly number[]) =>
    values.length < 2 ? 0 : values.reduce((sum, v) => sum + (v - value) ** 2, 0) / (values.length - 1) / values.length;
  const half = z95 * Math.sqrt(variance(above) + variance(below));
  return { value, interval: [Math.max(0, value - half), Math.min(1, value + half)] };
}
