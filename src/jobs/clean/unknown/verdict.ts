/** What a cleaning without knowledge of the attack has shown: on triggers that stand for the attack's own, and by scanning again. */
import type { Rule } from "../../../defenses/alpha-search.ts";
import type { Verdict } from "../../../results/clean.ts";
import type { AfterScores, EffectScores } from "../../../results/effect.ts";
import type { RoundResult } from "../../../results/unknown.ts";
import { printable } from "../../../tensor/printable.ts";
import { judge } from "../../record/verdict.ts";

interface Shown {
  readonly before: EffectScores;
  readonly after: AfterScores;
  readonly rule: Rule;
  readonly rounds: readonly RoundResult[];
  readonly doubts?: readonly string[];
}

/** As `judge` has it, of the recovered triggers; and the last scan must find no target any more. */
export function judgeUnknown({ before, after, rule, rounds, doubts }: Shown): Verdict {
  const known = judge(before, after, rule, doubts);
  const still = rounds.at(-1)?.rescan;
  const found = still?.verdict === "backdoored";
  const verified = known.verified && !found;
  const reasons = found
    ? [
        `the scan of the cleaned model still finds a target${still.target === undefined ? "" : `, "${printable(still.target)}"`}`,
      ]
    : [];
  return {
    ...known,
    verified,
    proven: verified,
    headline: found
      ? "The cleaning is not verified: the scan still finds a backdoor"
      : verified
        ? `The triggers that were recovered no longer work, the model still works, and a new scan ${still?.verdict === "no evidence" ? "finds nothing" : "cannot tell"}`
        : known.headline,
    reasons: [...known.reasons, ...reasons],
    notes: [
      ...(known.notes ?? []),
      "ASR is that of recovered triggers, which need not look like the attack's own: that it is gone too follows from no figure here but `truth`, where the checkpoint names its trigger",
    ],
  };
}
