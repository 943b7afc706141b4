/** When there is something to remove, and when it is proven that it is gone. */
import type { Rule } from "../defenses/alpha-search.ts";
import { TbarError } from "../tensor/error.ts";
import { percent } from "./percent.ts";
import type { CleanResult, Scores } from "./result.ts";

/** Below this ASR there is no backdoor to remove. */
export const alive = 0.1;

/** The refusal to clean where there is no backdoor. */
export function nothingToRemove(target: string, { asr }: Scores): TbarError {
  return new TbarError(
    "not-proven",
    `nothing to remove: with this trigger ${percent(asr.value)} of ${asr.n} validation images of other classes are taken ` +
      `for "${target}" (a live backdoor has ${percent(alive)} and more). The model is clean, or trigger or target are wrong.`,
  );
}

/** No alpha satisfied the rule. */
export function notFound(rule: Rule): CleanResult["verdict"] {
  const headline = "No alpha satisfied the rule on validation images: nothing was written";
  return { proven: false, headline, reasons: [`rule: ${JSON.stringify(rule)}`] };
}

/** Proven: on test images the attack is below 2 % and the model kept 90 % of its accuracy. */
export function judge(before: Scores, after: Scores, rule: Rule): CleanResult["verdict"] {
  const limit = rule.name === "difference" || rule.name === "retain" ? 0.02 : rule.limit;
  const retention = after.ca.value / before.ca.value;
  const reasons: string[] = [];
  if (after.asr.value > limit)
    reasons.push(`ASR on test images is ${percent(after.asr.value)}, above ${percent(limit)}`);
  if (retention < leastRetention) reasons.push(`only ${percent(retention)} of the clean accuracy is left`);
  const proven = reasons.length === 0;
  return {
    proven,
    headline: proven ? "The backdoor is gone and the model still works" : "The cleaning is not proven",
    reasons,
  };
}
const leastRetention = 0.9;
