/** A stored result of a cleaning, checked before it is drawn. */
import { defaultRule } from "../../defenses/alpha-search.ts";
import { type CleanResult, cleanResult } from "../../results/clean.ts";
import { checkVerdict, misfit } from "../../results/consistent.ts";
import { readResult } from "../../results/read.ts";
import { judge, storedVerdict } from "../record/verdict.ts";

/** The value itself, so that it is drawn as it was, but for the verdict of 0.1.0, which is judged again. Throws `bad-input` naming the first fields that do not fit, or figures that contradict each other. */
export function checkCleanResult(json: unknown, path: string): CleanResult {
  const result = readResult(cleanResult, json, path, { use: "a report is drawn of tbar scan --json and" });
  checkVerdict(result.verdict, path);
  const { before, after, verdict } = result;
  const again = judge(before, after, { name: "verified", limit: verdict.limits?.asr ?? defaultRule.limit });
  if (verdict.verified && !again.verified) throw misfit(path, `verdict.verified is true, and ${again.reasons[0]}`);
  return { ...result, verdict: storedVerdict(result) };
}
