/** Rounds of cleaning, each from the weights of the one before, as long as a scan still finds a target that was suspected from the start, or proxies still work. */
import { z } from "zod";
import type { Aimed } from "../../../detectors/aimed.ts";
import { rate } from "../../../results/base.ts";
import { invertedSpec } from "../../../results/scan.ts";
import type { RoundResult } from "../../../results/unknown.ts";
import { TbarError } from "../../../tensor/error.ts";
import type { Weights } from "../../../tensor/tensor.ts";
import { invertedTrigger } from "../../../triggers/inverted.ts";
import type { Context } from "../../context.ts";
import type { Work } from "../../progress/work.ts";
import type { Clock } from "../../record/facts.ts";
import { notFound } from "../../record/verdict.ts";
import { subjectOf } from "../../scan/prepare.ts";
import type { Found } from "../../scan/run.ts";
import type { CleanSpec } from "../spec.ts";
import { aim, type Open } from "./prepare.ts";
import { inOne, proxiesTo } from "./proxies.ts";
import { cleanRound, isGone, type Round } from "./round.ts";
import { nothingFound, targetOf } from "./target.ts";

export interface Rounds {
  /** At least one. */
  readonly rounds: readonly Round[];
  readonly results: readonly RoundResult[];
  /** Of the last round. */
  readonly weights: Weights;
}

interface Known {
  readonly scan: Found;
  readonly rescan: (weights: Weights, kept?: Work) => Promise<Found>;
  readonly clock: Clock;
  readonly work?: Work;
}
const aimed = z.array(z.strictObject({ trigger: invertedSpec, asr: rate }));

/** Throws `not-proven` where the scan found no target, or nothing leads to it. */
export async function cleanRounds(
  ready: Open,
  spec: CleanSpec,
  { scan, rescan, clock, work }: Known,
  context: Context,
): Promise<Rounds> {
  const rounds: Round[] = [];
  const results: RoundResult[] = [];
  let { weights } = ready.clip;
  let latest = scan;
  let target = spec.suspect ?? targetOf(scan);
  if (target === undefined) throw nothingFound(scan);
  while (target !== undefined && rounds.length < spec.rounds) {
    clock.stage("recover triggers");
    const subject = await subjectOf({ ...ready.clip, weights }, ready.scanning, context.signal);
    const sought = { subject, scan: latest, target };
    const part = work?.part(`round-${rounds.length + 1}-class-${ready.classNames.indexOf(target) + 1}`);
    const seek = () => proxiesTo(ready, sought, spec.seed + 10 * rounds.length, context);
    const proxies = part === undefined ? await seek() : await part.kept("proxies", aimed, seek);
    if (proxies.length === 0 && rounds.length === 0) throw nothingLeads(target);
    if (proxies.length === 0) break;
    const trigger = invertedTrigger(inOne(proxies, spec.seed));
    const first = rounds[0]?.caBefore;
    const round = await cleanRound(
      aim(ready, spec, weights, target, trigger),
      spec,
      { clock, first, work: part },
      context,
    );
    if (round.chosen === undefined && rounds.length === 0)
      throw new TbarError("not-proven", notFound(ready.rule).headline);
    if (round.chosen === undefined) break;
    weights = round.weights;
    latest = await rescan(weights, part?.part("scan"));
    const found = targetOf(latest);
    rounds.push(round);
    results.push(roundResult(round, proxies, latest, found));
    if (found !== undefined && isOld(found, scan, results)) target = found;
    else if (isGone(round.chosen)) target = undefined;
  }
  return { rounds, results, weights };
}

/**
 * A target that was cleaned already has left something; one that the first scan suspected too may be a second backdoor. Any other class gives
 * way more easily since the cleaning: that is told, and no reason to clean more.
 */
function isOld(found: string, { suspects }: Found, results: readonly RoundResult[]): boolean {
  return [...results, ...suspects].some(({ target }) => target === found);
}

function nothingLeads(target: string): TbarError {
  return new TbarError(
    "not-proven",
    `no trigger that could be recovered leads to "${target}": nothing was trained, nothing is written`,
  );
}

function roundResult(
  { bench, before, chosen, tried }: Round,
  proxies: readonly Aimed[],
  { verdict, probability }: Found,
  target: string | undefined,
): RoundResult {
  const { after, variant, defense } = chosen ?? tried[0];
  return {
    target: bench.threat.target,
    proxies: proxies.map(({ trigger, asr }) => ({ form: trigger.form, asr })),
    method: defense.name,
    alpha: variant.alpha,
    settings: variant.settings,
    proxyAsr: { before: before.asr, after: after.asr },
    retention: variant.retention,
    rescan: { verdict, ...(probability !== undefined && { probability }), ...(target !== undefined && { target }) },
  };
}
