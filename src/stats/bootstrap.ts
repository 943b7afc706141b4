/** The mean over seeds and how sure it is, where each seed was measured on images: both levels are drawn again. */
/** Seeded random numbers, such as `random(1)`. */
export interface Source {
  uniform(): number;
  normal(): number;
  int(n: number): number;
}

/** A figure of one seed. */
export interface Sampled {
  readonly value: number;
  /** What it might have been on other images; absent where it does not hang on images. */
  readonly draw?: (from: Source) => number;
}

/**
 * The mean over seeds with a 95 % interval: a two-level percentile bootstrap (seeds with replacement; within each drawn seed other
 * images, by its `draw`). It stays within the range of what is drawn, so that of rates within [0, 1], where Student's t over three seeds
 * does not. Three seeds have 10 different means: the interval then reaches about from the lowest seed to the highest.
 */
export function bootstrapMean(
  seeds: readonly Sampled[],
  from: Source,
  draws = 4000,
): { readonly value: number; readonly interval: readonly [number, number] } {
  const n = seeds.length;
  const value = seeds.reduce((sum, seed) => sum + seed.value, 0) / n;
  const means = Float64Array.from({ length: draws }, () => {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const seed = seeds[from.int(n)];
      sum += seed.draw?.(from) ?? seed.value;
    }
    return sum / n;
  }).sort();
  const at = (share: number) => means[Math.min(draws - 1, Math.max(0, Math.floor(share * draws)))];
  return { value, interval: [Math.min(value, at(0.025)), Math.max(value, at(0.975))] };
}

/**
 * A rate on other images: Beta(hits + 1/2, misses + 1/2), Jeffreys' posterior. Drawing the images themselves again would say of no hits
 * that there is no doubt.
 */
export function drawRate({ value, n }: { readonly value: number; readonly n: number }, from: Source): number {
  const hits = gamma(value * n + 0.5, from);
  return hits / (hits + gamma((1 - value) * n + 0.5, from));
}

/** Gamma(shape, 1), shape >= 1/2, by G. Marsaglia and W. W. Tsang, ACM TOMS 26:363-372, 2000. */
function gamma(shape: number, from: Source): number {
  if (shape < 1) return gamma(shape + 1, from) * (1 - from.uniform()) ** (1 / shape);
  const d = shape - 1 / 3;
  for (;;) {
    const x = from.normal();
    const v = (1 + x / Math.sqrt(9 * d)) ** 3;
    if (v > 0 && Math.log(1 - from.uniform()) < 0.5 * x ** 2 + d - d * v + d * Math.log(v)) return d * v;
  }
}
