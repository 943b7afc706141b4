/** How much of a rate is left, with 95 % confidence: the ratio of two rates of the same images. */
import { z95 } from "./rate.ts";

/** Counts of images asked twice: right the first time, right the second time, right both times. */
export interface TwiceAsked {
  readonly before: number;
  readonly after: number;
  readonly both: number;
}

export interface Retention {
  /** after / before; NaN or Infinity where nothing was right before. */
  readonly value: number;
  /** 95 % score interval; its upper end is Infinity where nothing speaks against any ratio. */
  readonly interval: readonly [number, number];
}

/**
 * after / before with the score interval of J. Nam and W. C. Blackwelder, Statistics in Medicine 21:689-699, 2002: all ratios r with
 * |after - r before| <= z sqrt(m ((1 + r) q - (1 - r))), m being the images right at least once and q the likeliest share of them
 * that is right before alone where the ratio is r. Images that are wrong both times say nothing. Where none is gained the interval
 * is Wilson's of after / before.
 */
export function retention({ before, after, both }: TwiceAsked, z = z95): Retention {
  const value = after / before;
  const [lost, gained] = [before - both, after - both];
  const m = both + lost + gained;
  const statistic = (r: number) => {
    const gap = after - r * before;
    // q maximises both log(1 - (1 + r) q) + lost log(q) + gained log(q - (1 - r)): the larger root of a quadratic
    const [square, delta] = [(1 + r) * m, 1 - r];
    const linear = (1 + r) * delta * before + lost + gained;
    const q = (linear + Math.sqrt(Math.max(0, linear ** 2 - 4 * square * lost * delta))) / (2 * square);
    const variance = m * ((1 + r) * q - delta);
    return variance > 0 ? gap / Math.sqrt(variance) : gap * Number.POSITIVE_INFINITY || 0;
  };
  if (m === 0) return { value, interval: [0, Number.POSITIVE_INFINITY] };
  return {
    value,
    interval: [
      after === 0 ? 0 : boundary(0, value, (r) => statistic(r) > z),
      before === 0 ? Number.POSITIVE_INFINITY : boundary(value, Number.POSITIVE_INFINITY, (r) => statistic(r) >= -z),
    ],
  };
}

/** The r between `low` and `high` up to which `holds`. An infinite end is looked for by doubling. */
function boundary(low: number, high: number, holds: (r: number) => boolean): number {
  let [near, far] = [low, Math.min(high, Math.max(1, 2 * low))];
  while (far < high && holds(far)) [near, far] = [far, Math.min(high, 2 * far)];
  for (let i = 0; i < 200 && far - near > 1e-12 * far; i++) {
    const middle = (near + far) / 2;
    if (holds(middle)) near = middle;
    else far = middle;
  }
  return near;
}

/** The fewest images that can have been right both times, where only the two counts of `n` images are known. */
export const leastBoth = (before: number, after: number, n: number): number => Math.max(0, before + after - n);
