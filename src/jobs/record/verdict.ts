/** When there is something to remove, and when it is proven that it is gone. */
import type { Rule } from "../../defenses/alpha-search.ts";
import { alive, type Decision } from "../../metrics/decision.ts";
import type { Effect } from "../../metrics/effect.ts";
import type { CleanResult, Scores } from "../../results/result.ts";
import { percent } from "../../stats/percent.ts";
import type { Rate } from "../../stats/rate.ts";
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
  if (because === "ordinary images") {
    return `cannot say: the images look like ordinary photos of "${target}", which carry no trigger: ${figures}.`;
  }
  if (because === "the model knows too little") {
    return `cannot say: the model's accuracy is ${percent(ca.value)}, hardly above chance, and in such a model any pattern makes a difference: ${figures}.`;
  }
  const needed = more === undefined ? "" : `; about ${more} more would settle it`;
  return `too few images to say: ${n} of other classes can be used${needed}: ${figures}.`;
}

/** The ASR that counts as gone. */
export function limitOf(rule: Rule): number {
  return rule.name === "difference" || rule.name === "retain" ? 0.02 : rule.limit;
}

/** What a verdict asks for: the ASR that counts as gone, the share of CA that must be left, and that of CA on triggered images. */
const limitsOf = (rule: Rule) => ({ asr: limitOf(rule), retention: leastRetention, triggered: leastMended });
/** The share of the clean accuracy that must be left. */
export const leastRetention = 0.9;
/** Accuracy on triggered images, as a share of the clean accuracy. */
export const leastMended = 0.5;

/** No alpha satisfied the rule. */
export function notFound(rule: Rule): CleanResult["verdict"] {
  const headline = "No alpha satisfied the rule on validation images: nothing was written";
  return { proven: false, headline, reasons: [`rule: ${JSON.stringify(rule)}`], limits: limitsOf(rule) };
}

/**
 * Proven: on test images the attack is below the limit, the model kept 90 % of its accuracy, and with the trigger on it is right at least
 * half as often as without: an image whose target was only exchanged for another wrong answer is not mended.
 */
export function judge(before: Scores, after: Scores & Partial<Effect>, rule: Rule): CleanResult["verdict"] {
  const limit = limitOf(rule);
  const retention = after.ca.value / before.ca.value;
  const mended = after.triggeredAccuracy;
  const reasons: string[] = [];
  if (after.asr.value > limit)
    reasons.push(`ASR on test images is ${percent(after.asr.value)}, above ${percent(limit)}`);
  if (retention < leastRetention) reasons.push(`only ${percent(retention)} of the clean accuracy is left`);
  const least = leastMended * after.ca.value;
  if (mended !== undefined && mended.value < least)
    reasons.push(
      `only ${percent(mended.value)} of triggered images get their own label, less than ${percent(least)}, half of the clean accuracy`,
    );
  const proven = reasons.length === 0;
  const [, upper] = after.asr.interval;
  return {
    proven,
    headline: proven ? "The backdoor is gone and the model still works" : "The cleaning is not proven",
    reasons,
    limits: limitsOf(rule),
    notes: [
      mended === undefined
        ? "Whether triggered images get their own label could not be measured: they have no labels"
        : `With the trigger on, ${percent(mended.value)} of images get their own label; without it ${percent(after.ca.value)}`,
      ...(proven && upper > limit
        ? [
            `The 95 % interval of ASR reaches ${percent(upper)}, above ${percent(limit)}: more test images (--test) say more`,
          ]
        : []),
    ],
  };
}
