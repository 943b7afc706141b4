/** How much more often one thing happens than another, with 95 % confidence: on the same images, or on different ones. */
import { type Rate, z95 } from "./rate.ts";

export interface Difference {
  /** First rate - second rate. */
  readonly value: number;
  /** Images: pairs, or the smaller of two sets that share none. */
  readonly n: number;
  /** 95 %: Tango's score interval for pairs, Newcombe's hybrid score interval for two sets. */
  readonly interval: readonly [number, number];
  /** Were the same images asked twice? */
  readonly paired: boolean;
  /** Of pairs: hits of the first asking alone, and of the second alone. Value, n and these two give the interval again. */
  readonly alone?: readonly [number, number];
}

/** Of n images asked twice: hits of the first asking alone, and of the second alone. */
export interface Discordant {
  readonly first: number;
  readonly second: number;
  readonly n: number;
}

/**
 * (first - second) / n with the score interval of T. Tango, Statistics in Medicine 17:891-908, 1998: all differences d with
 * |first - second - n d| <= z sqrt(n (2 q + d (1 - d))), q being the likeliest rate of `second` where the difference is d.
 * Where `second` is 0 its upper bound is Wilson's, so that 189 images without a hit show 2 % here too.
 */
export function pairedDifference({ first, second, n }: Discordant, z = z95): Difference {
  const [paired, alone] = [true, [first, second] as const];
  if (n === 0) return { value: Number.NaN, n, interval: [-1, 1], paired, alone };
  const value = (first - second) / n;
  const statistic = (d: number) => {
    const linear = (2 * n - first + second) * d - first - second;
    const root = Math.sqrt(Math.max(0, linear ** 2 + 8 * n * second * d * (1 - d)));
    const q = Math.max(0, (root - linear) / (4 * n));
    const deviation = Math.sqrt(Math.max(0, n * (2 * q + d * (1 - d))));
    const gap = first - second - n * d;
    return deviation === 0 ? gap * Number.POSITIVE_INFINITY || 0 : gap / deviation;
  };
  const bound = (outside: number, sign: number) => {
    let [near, far] = [value, outside]; // the statistic falls from the lowest difference to the highest
    if (sign * statistic(far) < z) return far;
    for (let i = 0; i < 60; i++) {
      const middle = (near + far) / 2;
      if (sign * statistic(middle) < z) near = middle;
      else far = middle;
    }
    return near;
  };
  return { value, n, interval: [value === -1 ? -1 : bound(-1, 1), value === 1 ? 1 : bound(1, -1)], paired, alone };
}

/**
 * The difference of rates of two sets that share no image, with the hybrid score interval (method 10) of R. G. Newcombe, Statistics in
 * Medicine 17:873-890, 1998: from d - sqrt((p1 - l1)^2 + (u2 - p2)^2) to d + sqrt((u1 - p1)^2 + (p2 - l2)^2).
 */
export function unpairedDifference(first: Rate, second: Rate): Difference {
  const [p1, [l1, u1]] = [first.value, first.interval];
  const [p2, [l2, u2]] = [second.value, second.interval];
  const n = Math.min(first.n, second.n);
  if (n === 0) return { value: Number.NaN, n, interval: [-1, 1], paired: false };
  const value = p1 - p2;
  const [below, above] = [Math.hypot(p1 - l1, u2 - p2), Math.hypot(u1 - p1, p2 - l2)];
  return { value, n, interval: [value - below, value + above], paired: false };
}
