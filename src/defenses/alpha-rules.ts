/** Rules for alpha that need no bound of ASR: by the clean accuracy that is left, and by both together. */
import { bracket, mostDoublings } from "./bracket.ts";
import type { Probe, Trial } from "./probe.ts";

/** Where the search begins, and CA at alpha = 0: of `SearchInput`. */
interface Begin {
  readonly start: number;
  readonly caBefore: number;
}

/** Rule a: the largest alpha that keeps CA is where ASR is least, unless ASR rises again: all that keep CA are compared. */
export async function searchRetain(probe: Probe, input: Begin, share: number): Promise<Trial | undefined> {
  const keeps = ({ ca }: Trial) => ca.value >= share * input.caBefore;
  const attempt = async (alpha: number) => {
    const trial = await probe.fully(alpha);
    return { trial, ok: !keeps(trial) }; // bracketing looks for the first alpha that costs too much
  };
  await bracket(attempt, input);
  const kept = probe.trials().filter(keeps);
  return kept.length === 0 ? undefined : kept.reduce((a, b) => (b.asr.value < a.asr.value ? b : a));
}

/** Rule b: doubling until CA is gone, then three rounds between the best alpha and its neighbours. */
export async function searchDifference(probe: Probe, { start, caBefore }: Begin): Promise<Trial> {
  const gain = ({ ca, asr }: Trial) => ca.value - asr.value;
  for (let alpha = start / 8; alpha <= start * 2 ** mostDoublings; alpha *= 2) {
    if ((await probe.fully(alpha)).ca.value < 0.1 * caBefore) break;
  }
  for (let round = 0; round < 3; round++) {
    const trials = probe.trials();
    const best = trials.indexOf(trials.reduce((a, b) => (gain(b) > gain(a) ? b : a)));
    for (const [a, b] of [
      [best - 1, best],
      [best, best + 1],
    ]) {
      if (trials[a] !== undefined && trials[b] !== undefined)
        await probe.fully(Math.sqrt(trials[a].alpha * trials[b].alpha));
    }
  }
  return probe.trials().reduce((a, b) => (gain(b) > gain(a) ? b : a));
}

/** From so few hits on, the trigger counts as gone. */
const gone = 0.02;
/** What may be given up besides where the trigger is not gone yet: of 97 % kept, 95 %. */
const more = 0.02;

/**
 * Rule of an unknown attack (ours): the largest alpha that keeps so much CA, since a trigger that was recovered is not the true one, and
 * where it stops working the true one may work still. Where even it works at that alpha, a little more CA is given up.
 */
export async function searchAgreement(probe: Probe, input: Begin, share: number): Promise<Trial | undefined> {
  let best: Trial | undefined;
  for (const least of [share, share - more]) {
    const keeps = ({ ca }: Trial) => ca.value >= least * input.caBefore;
    const attempt = async (alpha: number) => {
      const trial = await probe.fully(alpha);
      return { trial, ok: !keeps(trial) };
    };
    await bracket(attempt, input);
    const trials = probe.trials().filter(({ ca, asr }) => ca.n > 0 && asr.n === probe.size);
    const fails = trials.findIndex((trial) => !keeps(trial));
    const kept = fails < 0 ? trials : trials.slice(0, fails);
    best = kept.at(-1) ?? best;
    if (best !== undefined && best.asr.value <= gone) break;
  }
  return best;
}

/** How many times as far an alpha goes as the smallest that does away with the trigger; 0 where it does not do away with it itself. */
export async function marginOf(best: Trial, probe: Probe, { caBefore }: Begin): Promise<number> {
  if (!(best.asr.value <= gone)) return 0;
  const attempt = async (alpha: number) => {
    const trial = await probe.until(alpha, ({ asr }) => asr.interval[0] > gone || asr.n >= enough);
    return { trial, ok: trial.asr.value <= gone };
  };
  await bracket(attempt, { start: best.alpha, caBefore });
  const smallest = probe.trials().find(({ asr }) => asr.value <= gone) ?? best;
  return best.alpha / smallest.alpha;
}

/** Images on which that is measured: the margin is no promise. */
const enough = 192;
