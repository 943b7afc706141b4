/**
 * Choosing alpha on validation images. A grid of alphas over all images is what costs in TBAR, so: bracket upwards from the
 * vector's scale, bisect, and stop looking at an alpha as soon as enough images have spoken for or against it.
 */

import type { Metric } from "../engine/scorer.ts";
import { type Rate, rate } from "../stats/rate.ts";
import { unknownName } from "../tensor/error.ts";
import type { Weights } from "../tensor/tensor.ts";

/**
 * Which alpha wins:
 * - `verified` (default): ASR's Wilson upper bound <= limit; among these the highest CA. Needs 189 images for 2 %.
 * - `retain`: least ASR among alphas with CA >= limit x CA before (rule a; Tangent task arithmetic's negation rule)
 * - `difference`: largest CA - ASR (rule b)
 * - `smallest`: smallest alpha with ASR <= limit (rule c)
 */
export type Rule =
  | { readonly name: "verified" | "retain" | "smallest"; readonly limit: number }
  | { readonly name: "difference" };

export const rules = ["verified", "retain", "difference", "smallest"] as const;
/** Names of 0.1.0 that are still taken. */
const formerNames = new Map<string, Rule["name"]>([["proven", "verified"]]);

/** The rule of this name. Throws `bad-input` on a name that is none. */
export function ruleName(asked: string): Rule["name"] {
  const name = formerNames.get(asked) ?? rules.find((rule) => rule === asked);
  if (name === undefined) throw unknownName("rule", asked, rules);
  return name;
}
export const defaultRule = { name: "verified", limit: 0.02 } as const satisfies Rule;

/** One alpha tried. A rate's `n` is below the validation set's size where fewer images decided. */
export interface Trial {
  readonly alpha: number;
  readonly ca: Rate;
  readonly asr: Rate;
}

export interface Search {
  readonly best: Trial;
  /** Does the best alpha satisfy the rule? If none does, `best` is the one with the least ASR. */
  readonly satisfied: boolean;
  /** In order of alpha. */
  readonly trials: readonly Trial[];
}

export interface SearchInput {
  /** theta_b - alpha tau. */
  readonly at: (alpha: number) => Weights;
  /** Validation images, clean and triggered. */
  readonly clean: Metric;
  readonly triggered: Metric;
  /** Triggered test images that will verify the choice. */
  readonly test: number;
  /** CA at alpha = 0. */
  readonly caBefore: number;
  /** Where to begin: the alpha at which the vector is as long as plain TBAR's at 1. */
  readonly start: number;
  readonly rule?: Rule;
}

const mostDoublings = 14;
/** The bracket is narrowed until its ends are within 10 %. */
const narrow = 1.1;

export async function searchAlpha(input: SearchInput): Promise<Search> {
  const { rule = defaultRule } = input;
  const probe = new Probe(input);
  if (rule.name === "difference") return searchDifference(probe, input);
  if (rule.name === "retain") return searchRetain(probe, input, rule.limit);

  const proven = rule.name === "verified";
  const passesAll = (asr: Rate) => (proven ? asr.interval[1] : asr.value) <= rule.limit;
  const passes = ({ asr }: Trial) => (proven || asr.n === input.triggered.size) && passesAll(asr);
  const { size } = input.triggered;
  // proven to be above the limit, or unable to pass even if no hit followed
  const fails = ({ asr }: Trial) =>
    asr.interval[0] > rule.limit || !passesAll(rate(Math.round(asr.value * asr.n), size));
  const attempt = async (alpha: number) => {
    const trial = await probe.until(alpha, (seen) => fails(seen) || passes(seen));
    return { trial, ok: passes(trial) };
  };
  await bracket(attempt, input);
  for (;;) {
    const [glanced, ...above] = probe.trials().filter(passes);
    if (glanced === undefined) return probe.failed();
    const smallest = await probe.fully(glanced.alpha);
    if (!passes(smallest)) {
      // it had passed on fewer images
      if (above.length > 0) await bisect(attempt, smallest.alpha, above[0].alpha);
      else await bracket(attempt, { ...input, start: 2 * smallest.alpha });
      continue;
    }
    if (!proven) return probe.found(smallest);
    // CA falls with alpha; a neighbour above is looked at only where a first look says otherwise
    const candidates = [smallest];
    for (const { alpha, ca } of above.slice(0, 2)) {
      if (ca.value <= glanced.ca.value) continue;
      const neighbour = await probe.fully(alpha);
      if (passes(neighbour)) candidates.push(neighbour);
    }
    return probe.found(candidates.reduce((a, b) => (b.ca.value > a.ca.value ? b : a)));
  }
}

type Attempt = (alpha: number) => Promise<{ trial: Trial; ok: boolean }>;

/** The smallest passing alpha between a failing and a passing one: doubled (or halved) from the start, then bisected in ratio. */
async function bracket(attempt: Attempt, { start, caBefore }: SearchInput) {
  let low = 0;
  let high = Number.POSITIVE_INFINITY;
  for (let alpha = start; alpha <= start * 2 ** mostDoublings && high === Number.POSITIVE_INFINITY; alpha *= 2) {
    const { trial, ok } = await attempt(alpha);
    if (ok) high = alpha;
    else low = alpha;
    if (!ok && trial.ca.interval[1] < 0.1 * caBefore) return; // nothing is left to unlearn from
  }
  if (high === Number.POSITIVE_INFINITY) return;
  for (let alpha = high / 2; low === 0 && alpha >= start / 256; alpha /= 2) {
    if ((await attempt(alpha)).ok) high = alpha;
    else low = alpha;
  }
  if (low > 0) await bisect(attempt, low, high);
}

async function bisect(attempt: Attempt, low: number, high: number) {
  while (high / low > narrow) {
    const middle = Math.sqrt(low * high);
    if ((await attempt(middle)).ok) high = middle;
    else low = middle;
  }
}

/** Rule a: the largest alpha that keeps CA is where ASR is least, unless ASR rises again: all that keep CA are compared. */
async function searchRetain(probe: Probe, input: SearchInput, share: number): Promise<Search> {
  const keeps = ({ ca }: Trial) => ca.value >= share * input.caBefore;
  const attempt = async (alpha: number) => {
    const trial = await probe.fully(alpha);
    return { trial, ok: !keeps(trial) }; // bracketing looks for the first alpha that costs too much
  };
  await bracket(attempt, input);
  const kept = probe.trials().filter(keeps);
  if (kept.length === 0) return probe.failed();
  return probe.found(kept.reduce((a, b) => (b.asr.value < a.asr.value ? b : a)));
}

/** Rule b: doubling until CA is gone, then three rounds between the best alpha and its neighbours. */
async function searchDifference(probe: Probe, { start, caBefore }: SearchInput): Promise<Search> {
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
  return probe.found(probe.trials().reduce((a, b) => (gain(b) > gain(a) ? b : a)));
}

/** Counts per alpha, grown on demand; weights of the alpha asked last are kept. */
class Probe {
  readonly #input: SearchInput;
  readonly #counts = new Map<number, { ca: Count; asr: Count }>();
  #last: { alpha: number; weights: Weights } | undefined;

  constructor(input: SearchInput) {
    this.#input = input;
  }

  /** Triggered images, some more each time, until `decided` or all are seen; a few clean ones beside them. */
  async until(alpha: number, decided: (trial: Trial) => boolean): Promise<Trial> {
    const { clean, triggered } = this.#input;
    await this.#grow(alpha, "ca", clean, Math.min(look, clean.size));
    for (let n = look; ; n += look) {
      await this.#grow(alpha, "asr", triggered, Math.min(n, triggered.size));
      const trial = this.#trial(alpha);
      if (trial.asr.n === triggered.size || decided(trial)) return trial;
    }
  }

  async fully(alpha: number): Promise<Trial> {
    await this.#grow(alpha, "ca", this.#input.clean, this.#input.clean.size);
    await this.#grow(alpha, "asr", this.#input.triggered, this.#input.triggered.size);
    return this.#trial(alpha);
  }

  trials(): Trial[] {
    return [...this.#counts.keys()].sort((a, b) => a - b).map((alpha) => this.#trial(alpha));
  }

  found(best: Trial): Search {
    return { best, satisfied: true, trials: this.trials() };
  }

  async failed(): Promise<Search> {
    const nearest = this.trials().reduce((a, b) => (b.asr.value < a.asr.value ? b : a));
    return { best: await this.fully(nearest.alpha), satisfied: false, trials: this.trials() };
  }

  async #grow(alpha: number, which: "ca" | "asr", of: Metric, to: number): Promise<void> {
    const counts = this.#counts.get(alpha) ?? { ca: { hits: 0, n: 0 }, asr: { hits: 0, n: 0 } };
    this.#counts.set(alpha, counts);
    const count = counts[which];
    if (count.n >= to) return;
    if (this.#last?.alpha !== alpha) this.#last = { alpha, weights: this.#input.at(alpha) };
    count.hits += await of.hits(this.#last.weights, count.n, to);
    count.n = to;
  }

  #trial(alpha: number): Trial {
    const { ca, asr } = this.#counts.get(alpha) as { ca: Count; asr: Count };
    return { alpha, ca: rate(ca.hits, ca.n), asr: rate(asr.hits, asr.n) };
  }
}

interface Count {
  hits: number;
  n: number;
}

/** Images between decisions; a multiple of the scorer's batch. */
const look = 64;
