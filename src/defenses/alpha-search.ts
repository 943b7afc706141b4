/**
 * Choosing alpha on validation images. A grid of alphas over all images is what costs in TBAR, so: bracket upwards from the
 * vector's scale, bisect, and stop looking at an alpha as soon as enough images have spoken for or against it.
 */

import {
  hitsOf,
  hitsThatHold,
  hitsToAsk,
  hitsToRisk,
  sharesToAsk,
  sharesToRisk,
  shareThatHolds,
  shareToHold,
} from "../stats/fresh.ts";
import { percent } from "../stats/percent.ts";
import { badInput, unknownName } from "../tensor/error.ts";
import { marginOf, searchAgreement, searchDifference, searchRetain } from "./alpha-rules.ts";
import { bisect, bracket } from "./bracket.ts";
import { Probe, type Probed, type Trial } from "./probe.ts";

/**
 * Which alpha wins:
 * - `verified` (default): so few hits that the choice holds on test images: there ASR's Wilson upper bound is <= limit in 95 % of draws
 *   and more; the smallest such alpha, and beyond it as far as CA stays what it is (to within half a point). Where that leaves too little
 *   CA, an alpha that holds in fewer draws, and says so. Needs 189 images for 2 %.
 * - `retain`: least ASR among alphas with CA >= limit x CA before (rule a; Tangent task arithmetic's negation rule)
 * - `difference`: largest CA - ASR (rule b)
 * - `smallest`: smallest alpha with ASR <= limit (rule c)
 * - `agreement`: the largest alpha with CA >= limit x CA before, for a trigger that only stands for another: see `searchAgreement`
 */
export type Rule =
  | { readonly name: "verified" | "retain" | "smallest" | "agreement"; readonly limit: number }
  | { readonly name: "difference" };

/** Is it for triggers that only stand for the attack's own? */
export const isForStandIns = ({ name }: Rule): boolean => name === "agreement";

export const rules = ["verified", "retain", "difference", "smallest", "agreement"] as const;
/** Names of 0.1.0 that are still taken. */
const formerNames = new Map<string, Rule["name"]>([["proven", "verified"]]);

/** The rule of this name, with its usual limit unless told. Throws `bad-input` on a name that is none, and a limit where there is none. */
export function ruleNamed(asked: string, limit?: number): Rule {
  const name = formerNames.get(asked) ?? rules.find((rule) => rule === asked);
  if (name === undefined) throw unknownName("rule", asked, rules);
  if (name !== "difference") return { name, limit: limit ?? usualLimits[name] };
  if (limit !== undefined) throw badInput("--limit: the rule difference has none");
  return { name };
}

const usualLimits = { verified: 0.02, retain: 0.95, smallest: 0.02, agreement: 0.97 } as const;

export const defaultRule = { name: "verified", limit: 0.02 } as const satisfies Rule;

export interface Search {
  readonly best: Trial;
  /** Does the best alpha satisfy the rule? If none does, `best` is the one with the least ASR. */
  readonly satisfied: boolean;
  /** CA of the best as a share of CA before. */
  readonly retained: number;
  /** In order of alpha. */
  readonly trials: readonly Trial[];
  /** What is to be feared of the best alpha on test images, a sentence each. */
  readonly doubts?: readonly string[];
  /** Are fresh images less likely than usual to verify it: is too little CA left, or is it hit more often than is asked for first? */
  readonly isRisky?: boolean;
  /** Of the rule `agreement`: how many times as far the best alpha goes as the smallest that does away with the trigger, 0 where none does. */
  readonly margin?: number;
  /** What the rule asks of the best of several searches, the more the better; of rules that hold ASR down CA says it. */
  readonly merit?: number;
}

/** The share of CA from which on nothing better is looked for. */
const keptEnough = 0.97;

/** Is next to no CA lost, and no more to be feared than usual? */
export const leavesEnough = ({ satisfied, isRisky, retained }: Search, least: number = keptEnough): boolean =>
  satisfied && !isRisky && retained >= least;

/** CA - ASR for `difference`; for rules that hold CA up, how low ASR is. */
export function meritOf(rule: Rule, { ca, asr }: Trial): Pick<Search, "merit"> {
  if (rule.name === "difference") return { merit: ca.value - asr.value };
  return rule.name === "retain" || rule.name === "agreement" ? { merit: -asr.value } : {};
}

export interface SearchInput extends Probed {
  /** By what the choice will be verified: so many triggered test images, and the least share of CA that is left. */
  readonly verify: { readonly images: number; readonly retention: number };
  /** CA at alpha = 0. */
  readonly caBefore: number;
  /** Where to begin: the alpha at which the vector is as long as the one it was made of at 1. */
  readonly start: number;
  readonly rule?: Rule;
}

export async function searchAlpha(input: SearchInput): Promise<Search> {
  const { rule = defaultRule } = input;
  const probe = new Probe(input);
  const best = await found(probe, input, rule);
  const chosen = best ?? (await probe.nearest());
  const margin = rule.name === "agreement" ? await marginOf(chosen, probe, input) : undefined;
  return {
    best: chosen,
    satisfied: best !== undefined,
    retained: chosen.ca.value / input.caBefore,
    trials: probe.trials(),
    ...(best !== undefined && riskOf(best, input, rule)),
    ...(margin !== undefined && { margin }),
    ...meritOf(rule, chosen),
  };
}

function found(probe: Probe, input: SearchInput, rule: Rule): Promise<Trial | undefined> {
  if (rule.name === "difference") return searchDifference(probe, input);
  if (rule.name === "retain") return searchRetain(probe, input, rule.limit);
  if (rule.name === "agreement") return searchAgreement(probe, input, rule.limit);
  if (rule.name === "verified") return searchVerified(probe, input, rule.limit);
  const { size } = input.triggered;
  const most = (n: number) => (n === size ? Math.floor(rule.limit * n + 1e-9) : -1);
  return lowest(probe, input, { limit: rule.limit, most });
}

/** Hits on validation images so few that the choice holds on test images. */
async function searchVerified(probe: Probe, input: SearchInput, limit: number): Promise<Trial | undefined> {
  const { caBefore, triggered, verify } = input;
  const least = verify.retention * caBefore;
  const asking = (share: number, ofAll: typeof hitsToAsk, ofSome: typeof hitsThatHold): Bar => {
    const asked = { limit, test: verify.images, share };
    return { limit, most: (n) => (n === triggered.size ? ofAll : ofSome)(n, asked) };
  };
  let best: Trial | undefined;
  for (const share of sharesToAsk) {
    const bar = asking(share, hitsToAsk, hitsThatHold);
    const passing = await lowest(probe, input, bar);
    if (passing !== undefined) best = await farther(probe, passing, bar, least);
    if (best !== undefined && best.ca.interval[0] >= least) return best;
  }
  const isLost = best === undefined || best.ca.value < least;
  for (const share of isLost ? sharesToRisk(triggered.size, limit) : []) {
    const bar = asking(share, hitsToRisk, hitsToRisk);
    if (bar.most(triggered.size) < 0) continue;
    const passing = await lowest(probe, input, bar);
    if (passing !== undefined && passing.ca.value >= least) return farther(probe, passing, bar, least);
  }
  return best;
}

type Held = Pick<SearchInput, "caBefore" | "verify" | "triggered">;

/** What is to be feared of a choice on test images. */
export function riskOf(best: Trial, held: Held, rule: Rule): Pick<Search, "doubts" | "isRisky"> {
  const doubts = doubtsOf(best, held, rule);
  return { ...(doubts.length > 0 && { doubts }), ...(isRisky(best, held, rule) && { isRisky: true }) };
}

const isRisky = (best: Trial, held: Held, rule: Rule): boolean =>
  rule.name === "verified" &&
  (best.ca.value < held.verify.retention * held.caBefore || isStillHit(best, held, rule.limit));

/** Have more hits been let be than are asked for first? */
const isStillHit = ({ asr }: Trial, { verify, triggered }: Held, limit: number): boolean =>
  hitsOf(asr) > hitsToAsk(triggered.size, { limit, test: verify.images, share: shareToHold });

function doubtsOf(best: Trial, held: Held, rule: Rule): string[] {
  const { caBefore, verify } = held;
  const kept = best.ca.interval[1] / caBefore;
  return [
    rule.name === "verified" && mayFail(best, held, rule.limit),
    kept < verify.retention &&
      `On validation images no more than ${percent(kept)} of the clean accuracy is left at this alpha; ${percent(verify.retention)} are asked for`,
  ].filter((doubt) => doubt !== false);
}

/** Why the choice holds in fewer draws than asked for; false where it does not. */
function mayFail(best: Trial, held: Held, limit: number): string | false {
  const { triggered, verify } = held;
  const hits = hitsOf(best.asr);
  const share = shareThatHolds(hits, triggered.size, { limit, test: verify.images });
  if (isStillHit(best, held, limit))
    return `${hits} of ${triggered.size} validation images are still hit, since alphas beyond cost too much of the clean accuracy: such a choice holds on test images in ${percent(share)} of cases`;
  return (
    share < shareToHold &&
    `So few images (${triggered.size} of validation, ${verify.images} of test) let a choice of alpha hold on test images in ${percent(share)} of cases`
  );
}

/** What an alpha is held to: the most hits of n images that pass, -1 where so few settle nothing. */
interface Bar {
  readonly limit: number;
  readonly most: (n: number) => number;
}

const passing = ({ most }: Bar) => ({ asr }: Trial) => hitsOf(asr) <= most(asr.n); // biome-ignore format: one line

/** The smallest alpha that passes on all images. */
async function lowest(probe: Probe, input: SearchInput, bar: Bar): Promise<Trial | undefined> {
  const { size } = input.triggered;
  const passes = passing(bar);
  // surely above the limit, or unable to pass even if no hit followed
  const fails = ({ asr }: Trial) => asr.interval[0] > bar.limit || hitsOf(asr) > bar.most(size);
  const attempt = async (alpha: number) => {
    const trial = await probe.until(alpha, (seen) => fails(seen) || passes(seen));
    return { trial, ok: passes(trial) };
  };
  await bracket(attempt, input);
  for (;;) {
    const [glanced, above] = probe.trials().filter(passes);
    if (glanced === undefined) return undefined;
    const smallest = await probe.fully(glanced.alpha);
    if (passes(smallest)) return smallest;
    // it had passed on fewer images
    if (above !== undefined) await bisect(attempt, smallest.alpha, above.alpha);
    else await bracket(attempt, { ...input, start: 2 * smallest.alpha });
  }
}

/** Of CA so much may be lost beyond the smallest alpha that passes: on a few hundred images a change of one or two. */
const slack = 0.005 + 1e-9;
/** So many times as far as that one, tried in turn. */
const strides = [2 ** 0.25, 2 ** 0.5, 2] as const;

/**
 * Beyond the smallest alpha that passes, as far as CA stays what it is, or loses no more than ASR does, and does not come below the least: the smallest
 * one is where the last of these very images gives in, and of others some will not have. The smallest it is after all where triggered images come back.
 */
async function farther(probe: Probe, smallest: Trial, bar: Bar, least: number): Promise<Trial> {
  const { value, interval } = smallest.ca;
  let at = smallest;
  for (const stride of strides) {
    const alpha = stride * smallest.alpha;
    await probe.until(alpha, () => true);
    const next = await probe.clean(alpha);
    const isLeft = next.ca.value >= Math.min(value, least) && next.ca.interval[0] >= Math.min(interval[0], least);
    if (!isLeft || !(await pays(probe, smallest, next)) || !(await pays(probe, at, next))) break;
    at = next;
  }
  const farthest = await probe.fully(at.alpha);
  return passing(bar)(farthest) ? farthest : smallest;
}

/** Fewer hits are no rate that could be seen to fall. */
const fewestHits = 3;

/** Does CA fall by no more than the slack, and what ASR falls? That is counted only where it matters. */
async function pays(probe: Probe, from: Trial, to: Trial): Promise<boolean> {
  const beyond = from.ca.value - to.ca.value - slack;
  if (beyond <= 0) return true;
  const { asr } = await probe.fully(from.alpha);
  if (hitsOf(asr) < fewestHits || beyond > asr.value) return false;
  return beyond <= asr.value - (await probe.fully(to.alpha)).asr.value;
}
