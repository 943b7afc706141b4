/** Rates with 95 % confidence. */
import { fewest } from "./fewest.ts";

export interface Rate {
  /** hits / n. */
  readonly value: number;
  readonly n: number;
  /** 95 % Wilson score interval. */
  readonly interval: readonly [number, number];
}

/** Normal quantile of a two-sided 95 % interval. */
export const z95 = 1.959963984540054;

/**
 * Hits of n with the Wilson score interval (E. B. Wilson, JASA 22, 1927):
 * centre (p + z^2/2n) / (1 + z^2/n), half width z sqrt(p(1-p)/n + z^2/4n^2) / (1 + z^2/n).
 */
export function rate(hits: number, n: number, z = z95): Rate {
  if (n === 0) return { value: Number.NaN, n, interval: [0, 1] };
  const p = hits / n;
  const spread = 1 + z ** 2 / n;
  const centre = (p + z ** 2 / (2 * n)) / spread;
  const half = (z * Math.sqrt((p * (1 - p)) / n + z ** 2 / (4 * n ** 2))) / spread;
  const [low, high] = [hits === 0 ? 0 : Math.max(0, centre - half), hits === n ? 1 : Math.min(1, centre + half)];
  return { value: p, n, interval: [low, high] };
}

/** The fewest images for which no hit at all shows a rate below `bound`: the Wilson upper bound of 0/n is z^2 / (n + z^2). */
export const imagesToShow = (bound: number, z = z95): number => Math.ceil((z ** 2 * (1 - bound)) / bound);

/** The fewest images whose upper bound would be at most `bound` if the rate stayed as it is; Infinity where no number would do. */
export function imagesToVerify({ value, n }: Pick<Rate, "value" | "n">, bound: number): number {
  return fewest(n, (images) => rate(value * images, images).interval[1] <= bound);
}
