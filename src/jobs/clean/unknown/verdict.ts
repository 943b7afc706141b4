/** What a cleaning without knowledge of the attack has shown: on triggers that stand for the attack's own, and by scanning again. */
import type { Rule } from "../../../defenses/alpha-search.ts";
import type { Verdict } from "../../../results/clean.ts";
import type { AfterScores, EffectScores } from "../../../results/effect.ts";
import type { RoundResult, Truth } from "../../../results/unknown.ts";
import { percent } from "../../../stats/percent.ts";
import { printable } from "../../../tensor/printable.ts";
import { judge, leastRetention, limitOf } from "../../record/verdict.ts";

interface Shown {
  readonly before: EffectScores;
  readonly after: AfterScores;
  readonly rule: Rule;
  readonly rounds: readonly RoundResult[];
  /** What the attack's own trigger does, where the checkpoint names it: nothing was chosen by it. */
  readonly truth?: Truth;
  readonly doubts?: readonly string[];
}

/**
 * As `judge` has it, of the recovered triggers, save that an image that carries one need not get its own label: fitted triggers change
 * so much of it that a clean model does not know it either. The last scan must find no target any more. And where the checkpoint names triggers, none of
 * them may work: a cleaning that is known to have missed is not verified.
 */
export function judgeUnknown({ before, after, rule, rounds, truth, doubts }: Shown): Verdict {
  const { triggeredAccuracy, ...asked } = after;
  const known = judge(before, asked, rule, { doubts });
  const still = rounds.at(-1)?.rescan;
  const found = still?.verdict === "backdoored";
  const left = [truth, ...(truth?.others ?? [])].filter((one) => one !== undefined && one.asr.after.value > limitOf(rule)); // biome-ignore format: one line
  const verified = known.verified && !found && left.length === 0;
  const reasons = [
    ...(found ? [`the scan of the cleaned model still finds a target${still.target === undefined ? "" : `, "${printable(still.target)}"`}`] : []), // biome-ignore format: one line
    ...left.map((one) => `the trigger that the checkpoint names (${one?.trigger.kind}) still leads ${percent(one?.asr.after.value ?? 0)} of images to "${printable(one?.target ?? "")}"`), // biome-ignore format: one line
  ];
  return {
    ...known,
    limits: { asr: limitOf(rule), retention: leastRetention },
    verified,
    proven: verified,
    headline: found
      ? "The cleaning is not verified: the scan still finds a backdoor"
      : left.length > 0
        ? "The cleaning is not verified: the attack's own trigger still works"
        : verified
          ? `The triggers that were recovered no longer work, the model still works, and a new scan ${still?.verdict === "no evidence" ? "finds nothing" : "cannot tell"}`
          : known.headline,
    reasons: [...known.reasons, ...reasons],
    notes: [
      ...(triggeredAccuracy === undefined
        ? []
        : [
            `With a recovered trigger on, ${percent(triggeredAccuracy.value)} of images get their own label; no share is asked for, since it changes much of the image`,
          ]),
      ...(doubts ?? []),
      "ASR is that of recovered triggers, which need not look like the attack's own: that it is gone too follows from no figure here but `truth`, where the checkpoint names its trigger",
    ],
  };
}
