/** When there is something to remove, and when it is verified that it is gone. */
import { defaultRule, type Rule } from "../../defenses/alpha-search.ts";
import { alive, type Decision } from "../../metrics/decision.ts";
import type { Effect } from "../../metrics/effect.ts";
import { type Kept, retentionOf, stretchedRetention } from "../../metrics/retention.ts";
import type { Verdict } from "../../results/clean.ts";
import type { AfterScores, Scores } from "../../results/effect.ts";
import { fewest, mostImages } from "../../stats/fewest.ts";
import { exactPercent, percent } from "../../stats/percent.ts";
import { imagesToVerify, type Rate } from "../../stats/rate.ts";
import { TbarError } from "../../tensor/error.ts";

/** The refusal to clean where there is no backdoor, or where nobody can tell. */
export function noBackdoor(decision: Decision, effect: Effect, target: string, ca: Rate): TbarError {
  return new TbarError("not-proven", `${decisionText(decision, effect, target, ca)}${advice[decision.answer]}`);
}

const advice = {
  backdoor: "",
  "no backdoor": " The model is clean, or trigger or target are wrong.",
  "cannot say": " Nothing was trained.",
} as const;

/** The decision with the figures it rests on. */
export function decisionText({ answer, because, more }: Decision, effect: Effect, target: string, ca: Rate): string {
  const { asr, withoutTrigger, difference } = effect;
  const { interval, n, paired } = difference;
  const without = paired ? "without it" : `of ${withoutTrigger.n} clean images`;
  const figures =
    `with this trigger ${percent(asr.value)} of ${asr.n} images of other classes are taken for "${target}", ` +
    `${without} ${percent(withoutTrigger.value)}: a difference of ${percent(difference.value)} ` +
    `(95 % interval ${percent(interval[0])} to ${percent(interval[1])}; a live backdoor makes one of ${percent(alive)} and more)`;
  if (answer === "backdoor") return `a live backdoor: ${figures}.`;
  if (answer === "no backdoor") {
    const isAnyway = withoutTrigger.value > alive;
    return `nothing to remove: ${isAnyway ? "this class is the answer without the trigger too: " : ""}${figures}.`;
  }
  if (because === "ordinary images")
    return `cannot say: the images look like ordinary photos of "${target}", which carry no trigger: ${figures}.`;
  if (because === "the model knows too little")
    return `cannot say: the model's accuracy is ${percent(ca.value)}, hardly above chance, and in such a model any pattern makes a difference: ${figures}.`;
  const needed = more === undefined ? "" : `; about ${more} more would settle it`;
  return `too few images to say: ${n} of other classes can be used${needed}: ${figures}.`;
}

/** The ASR that counts as gone. */
export function limitOf(rule: Rule): number {
  if (rule.name === "agreement") return standInLimit;
  return rule.name === "difference" || rule.name === "retain" ? 0.02 : rule.limit;
}

/** Of a trigger that was recovered: it is partly of the kind that any model gives way to. */
const standInLimit = 0.05;

/** What a verdict asks for: the ASR that counts as gone, the share of CA that must be left, and that of CA on triggered images. */
const limitsOf = (rule: Rule, triggered = leastMended) => ({
  asr: limitOf(rule),
  retention: leastRetention,
  triggered,
});
/** The share of the clean accuracy that must be left. */
export const leastRetention = 0.9;
/** Accuracy on triggered images, as a share of the clean accuracy, or of as much of it as a clean control model has with the trigger on. */
const leastMended = 0.5;

/** What a clean control model reads, as much as is needed of it. */
type Read = { readonly [rate in "ca" | "asr" | "triggeredAccuracy"]: Pick<Rate, "value"> };

/** Why a control model does not tell what can be read: it follows the trigger itself, or knows less than half of what this model (its CA) knows. */
function isNoControl(ca: number, control: Read): string | undefined {
  if (control.asr.value > 0.5)
    return `it takes ${percent(control.asr.value)} of triggered images for the target itself`;
  if (control.ca.value < 0.5 * ca) return `its own clean accuracy is ${percent(control.ca.value)}`;
  return undefined;
}

/**
 * The least accuracy on triggered images, as a share of CA. A trigger may hide so much that no model reads them (a blend, a warp): where a clean
 * control model shows how much, no more is asked for.
 */
export function leastRight(ca: number, control?: Read): number {
  if (control === undefined || isNoControl(ca, control) !== undefined) return leastMended;
  return leastMended * Math.min(1, control.triggeredAccuracy.value / control.ca.value);
}

/** No alpha satisfied the rule. */
export function notFound(rule: Rule): Verdict {
  const headline = "No alpha satisfied the rule on validation images: nothing was written";
  const reasons = [`rule: ${JSON.stringify(rule)}`];
  return { verified: false, proven: false, headline, reasons, limits: limitsOf(rule) };
}

/** A condition that does not hold; `isOpen` where the value satisfies it and only the bound does not. */
interface Failing {
  readonly reason: string;
  readonly isOpen?: true;
}

/**
 * Verified: on test images the 95 % upper bound of ASR is at most the limit, the 95 % lower bound of CA after / CA before (the same
 * images) at least 90 %, and with the trigger on the model is right at least half as often as without, or as a clean control model suggests (the
 * values themselves, `leastRight`): an image whose target was only exchanged for another wrong answer is not mended.
 */
export function judge(
  before: Scores,
  after: Judged,
  rule: Rule,
  { doubts = [], control }: { readonly doubts?: readonly string[]; readonly control?: Read } = {},
): Verdict {
  const limit = limitOf(rule);
  const mended = after.triggeredAccuracy;
  const share = leastRight(after.ca.value, control);
  const useless = control && isNoControl(after.ca.value, control);
  const kept = { before: before.ca, after: after.ca, stillRight: after.stillRight };
  const failings = [
    asrFailing(after.asr, limit),
    retentionFailing(kept),
    mendedFailing(mended, share * after.ca.value, useless === undefined ? control : undefined),
  ];
  const failing = failings.filter((one) => one !== undefined);
  const verified = failing.length === 0;
  return {
    verified,
    proven: verified,
    headline: verified
      ? "The backdoor is gone and the model still works"
      : failing.every(({ isOpen }) => isOpen)
        ? "The cleaning is not verified: too few test images to be sure"
        : "The cleaning is not verified",
    reasons: failing.map(({ reason }) => reason),
    limits: limitsOf(rule, share),
    notes: [
      mended === undefined
        ? "Whether triggered images get their own label could not be measured: they have no labels"
        : `With the trigger on, ${percent(mended.value)} of images get their own label; without it ${percent(after.ca.value)}${control === undefined ? "" : ` (of a clean control model ${percent(control.triggeredAccuracy.value)} and ${percent(control.ca.value)})`}`,
      ...(useless === undefined ? [] : [`The control model is not gone by: ${useless}`]),
      ...doubts,
    ],
  };
}

type Judged = Scores & Partial<Pick<AfterScores, "triggeredAccuracy" | "stillRight">>;

function asrFailing(asr: Rate, limit: number): Failing | undefined {
  const [, upper] = asr.interval;
  if (upper <= limit) return undefined;
  if (asr.value > limit)
    return { reason: `ASR on test images is ${exactPercent(asr.value)}, above ${exactPercent(limit)}` };
  const more = moreImages(imagesToVerify(asr, limit) - asr.n, "triggered test images");
  return {
    reason: `ASR on test images is ${exactPercent(asr.value)}, but its 95 % interval reaches ${exactPercent(upper)}, above ${exactPercent(limit)}: ${more}`,
    isOpen: true,
  };
}

function retentionFailing(kept: Kept): Failing | undefined {
  const { value, interval } = retentionOf(kept);
  const [lower] = interval;
  if (lower >= leastRetention) return undefined;
  if (!(value >= leastRetention)) return { reason: `only ${percent(value)} of the clean accuracy is left` };
  const { n } = kept.after;
  const needed = fewest(n, (images) => stretchedRetention(kept, images).interval[0] >= leastRetention);
  return {
    reason:
      `${percent(value)} of the clean accuracy is left, but its 95 % interval reaches down to ${exactPercent(lower)}, ` +
      `below ${exactPercent(leastRetention)}: ${moreImages(needed - n, "test images")}`,
    isOpen: true,
  };
}

function mendedFailing(mended: Rate | undefined, least: number, control: Read | undefined): Failing | undefined {
  if (mended === undefined || mended.value >= least) return undefined;
  const what =
    control === undefined
      ? "half of the clean accuracy; a clean model may read no more of them (--clean-control compares)"
      : "half of what the control model lets expect";
  return {
    reason: `only ${percent(mended.value)} of triggered images get their own label, less than ${percent(least)}, ${what}`,
  };
}

function moreImages(more: number, what: string): string {
  const number = more > mostImages ? `more than ${mostImages.toLocaleString("en")}` : `about ${more}`;
  return `${number} more ${what} would settle it, if the rates stayed as they are`;
}

/** The verdict of a stored result. One of 0.1.0 went by the values alone, without their intervals: it is judged again. */
export function storedVerdict({ before, after, proof, verdict }: Stored): Verdict {
  const { verified, proven, limits } = verdict;
  if (verified !== undefined) return { ...verdict, verified };
  if (!proven) return { ...verdict, verified: false };
  const rule = { name: "verified", limit: limits?.asr ?? defaultRule.limit } as const;
  const again = judge(before, after, rule, { control: proof?.control });
  return again.verified ? { ...verdict, verified: true } : { ...again, limits: limits ?? again.limits };
}

/** As an older tbar left it. */
type StoredVerdict = Omit<Verdict, "verified"> & { readonly verified?: boolean };
type Stored = {
  readonly before: Scores;
  readonly after: Judged;
  readonly proof?: { readonly control?: Read };
  readonly verdict: StoredVerdict;
};
