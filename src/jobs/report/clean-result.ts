/** A stored result of a cleaning, checked before it is drawn. */
import { defaultRule } from "../../defenses/alpha-search.ts";
import { type CleanResult, cleanResult } from "../../results/clean.ts";
import { checkDifference, checkVerdict, misfit } from "../../results/consistent.ts";
import { readResult } from "../../results/read.ts";
import { judge, storedVerdict } from "../record/verdict.ts";

/** The value itself, so that it is drawn as it was, but for the verdict of 0.1.0, which is judged again. Throws `bad-input` naming the first fields that do not fit, or figures that contradict each other. */
export function checkCleanResult(json: unknown, path: string): CleanResult {
  const result = readResult(cleanResult, json, path, { use: "a report is drawn of tbar scan --json and" });
  checkVerdict(result.verdict, path);
  checkComparisons(result.variants, path);
  const { before, after, proof, rounds, verdict } = result;
  const rule = { name: "verified", limit: verdict.limits?.asr ?? defaultRule.limit } as const;
  // of recovered triggers no own labels are asked for
  const { triggeredAccuracy: _, ...asked } = after;
  const again = judge(before, rounds === undefined ? after : asked, rule, { control: proof.control });
  if (verdict.verified && !again.verified) throw misfit(path, `verdict.verified is true, and ${again.reasons[0]}`);
  return { ...result, verdict: storedVerdict(result) };
}

/** Each defense's differences are those of its rates and of the one's that it names. */
function checkComparisons(variants: CleanResult["variants"], path: string): void {
  for (const [name, { after, against }] of Object.entries(variants)) {
    if (against === undefined) continue;
    const { method } = against;
    if (!Object.hasOwn(variants, method) || method === name)
      throw misfit(path, `variants.${name}.against.method is ${method}, which is none of the others`);
    for (const kind of ["ca", "asr"] as const)
      checkDifference(against[kind], [after[kind], variants[method].after[kind]], path, `variants.${name}.against.${kind}`); // biome-ignore format: one line
  }
}
