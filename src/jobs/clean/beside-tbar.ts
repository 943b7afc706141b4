/** The defenses compared: each beside the best of TBAR's variants, image by image. */
import type { Variant } from "../../results/clean.ts";
import { type Difference, pairedDifference } from "../../stats/difference.ts";
import { choose, type Tried } from "./defend.ts";

/** By name, each beside the best of TBAR's variants: what it does better or worse to the same test images. */
export function besideTbar(tried: readonly Tried[], chosen: Tried | undefined): Readonly<Record<string, Variant>> {
  const variants = tried.filter(({ defense }) => !defense.control);
  const best = choose(variants) ?? variants[0];
  const beside = (one: Tried) => ({
    method: best.defense.name,
    ca: pairedOutcomes(one.outcomes.right, best.outcomes.right),
    asr: pairedOutcomes(one.outcomes.hit, best.outcomes.hit),
  });
  return Object.fromEntries(
    tried.map((one) => [
      one.defense.name,
      { ...one.variant, ...(best !== undefined && one !== best && { against: beside(one) }), chosen: one === chosen },
    ]),
  );
}

/** How much more often there is a 1 in the first, of the same images. */
function pairedOutcomes(one: string, other: string): Difference {
  const alone = (first: string, second: string) =>
    [...first].reduce((n, hit, i) => (hit === "1" && second[i] === "0" ? n + 1 : n), 0);
  return pairedDifference({ first: alone(one, other), second: alone(other, one), n: one.length });
}
