/** What a choice on some images promises of others that took no part in it. */
import { type Rate, rate } from "./rate.ts";

/** The share of choices that are to hold on fresh images. */
export const shareToHold = 0.95;
/** Of several choices the luckiest is taken, so each is asked for more, unless that brings CA near the least that must be left. */
export const sharesToAsk = [0.98, shareToHold] as const;
/**
 * Asked for where CA would be lost otherwise: a choice that fails more often, and says so, is better than a model that is of no use. None where
 * all of n images without a hit would not show the limit.
 */
export const sharesToRisk = (n: number, limit: number): readonly number[] =>
  hitsWithin(n, limit) < 0 ? [] : [0.8, 0.5];

/** Fresh images, and what their 95 % upper bound is to be at most. */
export interface Fresh {
  readonly test: number;
  readonly limit: number;
}

/** Of a rate. */
export const hitsOf = ({ value, n }: Rate): number => Math.round(value * n);

/** The most hits of n images whose 95 % upper bound is at most `limit`; -1 where not even none is few enough. */
export function hitsWithin(n: number, limit: number): number {
  return n === 0 ? -1 : last(n, (hits) => rate(hits, n).interval[1] <= limit);
}

/** The most hits of n images, within the limit themselves, whose choice holds in this share of draws; -1 where none does. */
export function hitsThatHold(n: number, { test, limit, share }: Fresh & { readonly share: number }): number {
  return last(hitsWithin(n, limit), (hits) => shareThatHolds(hits, n, { test, limit }) >= share);
}

/** The most hits of n images whose choice holds in this share of draws, be they within the limit themselves or not; -1 where none does. */
export function hitsToRisk(n: number, { test, limit, share }: Fresh & { readonly share: number }): number {
  return last(n - 1, (hits) => shareThatHolds(hits, n, { test, limit }) >= share);
}

/** Of `hitsThatHold`, all the images there are: where not even a set without a hit promises that much, it has to do. */
export function hitsToAsk(n: number, asked: Fresh & { readonly share: number }): number {
  return Math.max(hitsThatHold(n, asked), Math.min(0, hitsWithin(n, asked.limit)));
}

/**
 * How often fresh images verify a choice: a strength was raised until at most `hits` of n images were hit. Each image gives in at a
 * strength of its own, and all are drawn alike: whatever the curve, the rate at which all but `hits` of n have given in is
 * Beta(hits + 1, n - hits) (tolerance limits: S. S. Wilks, Annals of Mathematical Statistics 12:91-96, 1941), so the hits among the fresh
 * ones are beta-binomial.
 */
export function shareThatHolds(hits: number, n: number, { test, limit }: Fresh): number {
  const allowed = hitsWithin(test, limit);
  if (allowed >= test) return 1;
  const [a, b] = [hits + 1, n - hits];
  let log = 0; // of the chance that no fresh image is hit
  for (let i = 0; i < a; i++) log += Math.log((b + i) / (b + test + i));
  let share = 0;
  for (let x = 0; x <= allowed; x++) {
    share += Math.exp(log);
    log += Math.log(((test - x) * (a + x)) / ((x + 1) * (b + test - x - 1)));
  }
  return Math.min(1, share);
}

/** The last of 0..most for which `holds`, which holds up to there; -1 where it never does. */
function last(most: number, holds: (hits: number) => boolean): number {
  let [low, high] = [-1, most + 1];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return low;
}
