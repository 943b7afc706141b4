/** Is there a backdoor, is there none, or can these images not tell? */
import { type Difference, pairedDifference } from "../stats/difference.ts";
import { fewest, mostImages } from "../stats/fewest.ts";
import { imagesToShow, type Rate } from "../stats/rate.ts";
import type { Effect } from "./effect.ts";

/** A trigger that makes less of a difference than this is no backdoor to remove. */
export const alive = 0.1;

/** The fewest images of other classes that can show a rate of at most 2 %, the limit of a verdict: 189. */
export const leastImages = imagesToShow(0.02);

export interface Decision {
  readonly answer: "backdoor" | "no backdoor" | "cannot say";
  /** Why nothing is said. */
  readonly because?: "too few images" | "the model knows too little" | "ordinary images";
  /** About how many images more would settle it, if the rates stayed as they are; absent where no number would. */
  readonly more?: number;
}

export interface Deciding extends Pick<Effect, "difference"> {
  readonly ca: Rate;
  /** CA that chance alone would give: `chanceAgreement`. */
  readonly chance: number;
  /** Do the images that are said to carry a trigger look like ordinary ones of the target class? */
  readonly isOrdinary?: boolean;
  /** Usable images without which nothing is said. */
  readonly least?: number;
}

/**
 * By the difference that the trigger makes: a backdoor where its interval lies above 10 %, none where it lies below. Of fewer than
 * `least` images, and where 10 % lies within, nothing is said. Nor is a backdoor seen in a model whose answers hardly depend on the image
 * (an untrained one): in such a one any pattern makes a difference; nor by ordinary images of the target class.
 */
export function decide({ difference, ca, chance, isOrdinary = false, least = leastImages }: Deciding): Decision {
  const { n } = difference;
  const [low, high] = difference.interval;
  if (isOrdinary) return { answer: "cannot say", because: "ordinary images" };
  if (n >= least && high < alive) return { answer: "no backdoor" };
  if (n >= least && low > alive) {
    const isSeeing = knowledge(ca.interval[0], chance) > alive;
    return isSeeing ? { answer: "backdoor" } : { answer: "cannot say", because: "the model knows too little" };
  }
  const because = "too few images" as const;
  if (n === 0) return { answer: "cannot say", because, more: least };
  const more = Math.max(least - n, enough(difference) - n, 1);
  return { answer: "cannot say", because, ...(more < mostImages && { more }) };
}

/** The fewest images whose interval would leave 10 % out, if the rates stayed as they are. */
const enough = (difference: Difference): number =>
  fewest(difference.n, (n) => {
    const [low, high] = stretched(difference, n);
    return low > alive || high < alive;
  });

/** The interval of the same rates among n images; of two sets, half an interval is as wide as 1 / sqrt(n). */
function stretched({ alone, ...of }: Difference, n: number): readonly [number, number] {
  const factor = n / of.n;
  if (alone === undefined) {
    const bound = (at: number) => of.value + (at - of.value) / Math.sqrt(factor);
    return [bound(of.interval[0]), bound(of.interval[1])];
  }
  return pairedDifference({ first: alone[0] * factor, second: alone[1] * factor, n }).interval;
}

/** Agreement beyond chance, as a share of what is possible: kappa (J. Cohen, Educational and Psychological Measurement 20:37-46, 1960). */
export function knowledge(agreement: number, chance: number): number {
  return chance >= 1 ? 0 : (agreement - chance) / (1 - chance);
}

/** How often answers and labels would agree if they had nothing to do with each other: the sum over classes of both shares' product. */
export function chanceAgreement(answers: ArrayLike<number>, labels: ArrayLike<number>): number {
  const count = (of: ArrayLike<number>) => {
    const counts = new Map<number, number>();
    for (let i = 0; i < of.length; i++) counts.set(of[i], (counts.get(of[i]) ?? 0) + 1);
    return counts;
  };
  const [given, own] = [count(answers), count(labels)];
  let sum = 0;
  for (const [label, n] of given) sum += n * (own.get(label) ?? 0);
  return labels.length === 0 ? 1 : sum / labels.length ** 2;
}
