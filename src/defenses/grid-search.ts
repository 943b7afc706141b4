/**
 * Choosing among a few trained models on validation images: for knobs of which every value takes a training (a learning rate, a share that is
 * pruned). Each is measured on all images, and the rules are those of alpha.
 */
import { hitsOf, hitsToAsk, hitsToRisk, sharesToAsk, sharesToRisk } from "../stats/fresh.ts";
import { rate } from "../stats/rate.ts";
import type { Weights } from "../tensor/tensor.ts";
import { defaultRule, meritOf, type Rule, riskOf, type SearchInput } from "./alpha-search.ts";
import type { Among } from "./defense.ts";
import type { Trial } from "./probe.ts";

export interface GridInput extends Pick<SearchInput, "clean" | "triggered" | "caBefore" | "verify" | "rule"> {
  /** In rising order: the larger, the more of the model is changed. */
  readonly knobs: readonly number[];
  readonly at: (knob: number) => Promise<Weights>;
}

/** A knob that leaves less than this of CA is the last that is tried. */
const leastLeft = 0.5;

/** At least one knob. Of the models only the best so far is held. */
export async function searchGrid(input: GridInput): Promise<Among> {
  const { clean, triggered, caBefore, rule = defaultRule } = input;
  const trials: Trial[] = [];
  let best: { trial: Trial; weights: Weights; satisfied: boolean } | undefined;
  for (const knob of input.knobs) {
    const weights = await input.at(knob);
    const count = async (of: typeof clean) => rate(await of.hits(weights), of.size);
    const trial = { alpha: knob, ca: await count(clean), asr: await count(triggered) };
    trials.push(trial);
    const passing = passingBest(rule, trials, input);
    const chosen = passing ?? trials.reduce((a, b) => (b.asr.value < a.asr.value ? b : a));
    if (best === undefined || chosen === trial) best = { trial: chosen, weights, satisfied: passing !== undefined };
    if (trial.ca.value < leastLeft * caBefore) break;
  }
  if (best === undefined) throw new RangeError("a search among no values");
  const { trial, weights, satisfied } = best;
  const risk = satisfied ? riskOf(trial, input, rule) : {};
  return {
    weights,
    search: { best: trial, satisfied, retained: trial.ca.value / caBefore, trials, ...risk, ...meritOf(rule, trial) },
  };
}

type Held = Pick<GridInput, "caBefore" | "verify" | "triggered">;

const most = (trials: readonly Trial[], of: (trial: Trial) => number): Trial | undefined =>
  trials.length === 0 ? undefined : trials.reduce((a, b) => (of(b) > of(a) ? b : a));

/** Of the trials that satisfy a rule the one it prefers. */
function passingBest(rule: Rule, trials: readonly Trial[], { caBefore, verify, triggered }: Held): Trial | undefined {
  if (rule.name === "difference") return most(trials, ({ ca, asr }) => ca.value - asr.value);
  if (rule.name === "retain" || rule.name === "agreement") {
    const kept = trials.filter(({ ca }) => ca.value >= rule.limit * caBefore);
    return rule.name === "agreement" ? kept.at(-1) : most(kept, ({ asr }) => -asr.value);
  }
  if (rule.name === "smallest") return trials.find(({ asr }) => asr.value <= rule.limit + 1e-9);
  return verifiedBest(rule.limit, trials, { caBefore, verify, triggered });
}

/** As `searchVerified` of an alpha: so few hits that the choice holds on test images, or fewer times where CA would be lost. */
function verifiedBest(limit: number, trials: readonly Trial[], { caBefore, verify, triggered }: Held) {
  const least = verify.retention * caBefore;
  const { size } = triggered;
  // of as much CA the larger knob
  const within = (hits: number) => most(trials.filter(({ asr }) => hitsOf(asr) <= hits).reverse(), ({ ca }) => ca.value); // biome-ignore format: one line
  let best: Trial | undefined;
  for (const share of sharesToAsk) {
    best = within(hitsToAsk(size, { limit, test: verify.images, share })) ?? best;
    if (best !== undefined && best.ca.interval[0] >= least) return best;
  }
  const isLost = best === undefined || best.ca.value < least;
  for (const share of isLost ? sharesToRisk(size, limit) : []) {
    const risked = within(hitsToRisk(size, { limit, test: verify.images, share }));
    if (risked !== undefined && risked.ca.value >= least) return risked;
  }
  return best;
}
