/**
 * Ours: triggers of one form fitted to every class with a fixed, small budget. A clean model hardly gives way in so few steps; towards a
 * backdoor's target it does, since there is a road already. All classes are screened by a few steps; the best are fitted anew with more,
 * and the share of held-out images that these carry to their class is the statistic: a rate at a fixed budget, not the size of a mask.
 */
import { badInput } from "../tensor/error.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Cost, DetectorInput, Finding, Size, Subject, Suspected } from "./detector.ts";
import type { Form } from "./forms/form.ts";
import {
  asrOf,
  type Candidate,
  candidate,
  inversion,
  meanProbability,
  stampedAnswers,
  stampedEmbeddings,
} from "./invert.ts";

/** Budgets that statistics are calibrated with: another one makes other figures. */
export interface Budget {
  /** Each class is fitted so many steps with one image a step, and measured on so many images. */
  readonly screen: { readonly steps: number; readonly images: number };
  /** So many of the best, by each of the screening forms, are fitted anew. */
  readonly keep: number;
  readonly confirm: { readonly steps: number; readonly each: number; readonly images: number };
}

/** A form to screen all classes with, and those that its best classes are fitted with anew: a joint one is taken apart. */
export interface Family {
  readonly screen: Form;
  readonly confirm: readonly Form[];
}

/** So many of the fits are measured on all held-out images. */
const finalists = 6;
/** Beyond so many classes the first steps of the screening decide which so many are screened to the end. */
const mostScreened = 128;
const firstSteps = 2;

export function fittedCost({ classes, base, held }: Size, families: number, confirms: number, budget: Budget): Cost {
  const { screen, keep, confirm } = budget;
  const screened =
    classes * Math.min(firstSteps, screen.steps) +
    Math.min(classes, mostScreened) * Math.max(0, screen.steps - firstSteps);
  const fitted = families * keep * confirms * confirm.steps * confirm.each;
  const measured = Math.min(classes, mostScreened) * families * Math.min(held, screen.images);
  return {
    gradients: (families * screened + fitted) * (base ? 2 : 1) - (base ? families * screened : 0),
    encoded: finalists * held + measured + families * keep * confirms * Math.min(held, confirm.images) * (base ? 2 : 1),
  };
}

/** The head of a model under suspicion. Throws `bad-input` where it has none. */
export function headed(subject: Subject): Subject & { readonly head: Tensor } {
  const { head } = subject;
  if (head === undefined)
    throw badInput("this detector asks for class names and a text tower: it has no class to aim at");
  return { ...subject, head };
}

/** Screens all classes with each family and fits the best of them anew. The suspects come by class, the best trigger of each. */
export async function fitted(
  input: DetectorInput,
  families: readonly Family[],
  budget: Budget,
  name: string,
): Promise<Finding> {
  const { fit, held, classNames, seed, signal } = input;
  const suspect = headed(input.suspect);
  const before = held.answers as Int32Array;
  let done = 0;
  const report = (count: number) => input.report?.((done += count));
  const engine = inversion(suspect);
  const found: { readonly one: Candidate; readonly screened: number; readonly rate: ReturnType<typeof asrOf> }[] = [];
  let [highest, sum, count] = [0, 0, 0];
  try {
    for (const [f, family] of families.entries()) {
      let all = classNames.map((_, label) => candidate(family.screen, label, seed, name, f, label));
      const fitting = { total: budget.screen.steps, each: 1, seed: seed + f, signal, report };
      const probabilities = async (some: readonly Candidate[], images: number) =>
        (await stampedEmbeddings(suspect, some, held, images)).map((after, i) =>
          meanProbability(some[i].label, before, after, suspect.head),
        );
      let steps = budget.screen.steps;
      if (all.length > mostScreened) {
        await engine.fit(all, fit, { ...fitting, steps: firstSteps });
        steps -= firstSteps;
        const first = await probabilities(all, 4);
        all = order(first).slice(0, mostScreened).map((i) => all[i]); // biome-ignore format: one line
      }
      await engine.fit(all, fit, { ...fitting, steps });
      const screened = await probabilities(all, budget.screen.images);
      highest = Math.max(highest, ...screened);
      sum += screened.reduce((a, b) => a + b, 0);
      count += screened.length;
      const best = order(screened).slice(0, budget.keep);
      const again = best.flatMap((i) =>
        family.confirm.map((form, g) => ({
          one: candidate(form, all[i].label, seed, name, "again", f, g, all[i].label),
          screened: screened[i],
        })),
      );
      const { steps: more, each, images } = budget.confirm;
      await engine.fit(again.map(({ one }) => one), fit, { steps: more, each, seed: seed + 100 + f, signal, report }); // biome-ignore format: one line
      const answers = await stampedAnswers(suspect, again.map(({ one }) => one), held, images); // biome-ignore format: one line
      again.forEach(({ one, screened }, i) => {
        found.push({ one, screened, rate: asrOf(one.label, before, answers[i]) });
      });
    }
  } finally {
    await engine.release();
  }
  const best = order(found.map(({ rate }) => rate.value || 0)).slice(0, finalists);
  const again = await stampedAnswers(suspect, best.map((i) => found[i].one), held); // biome-ignore format: one line
  best.forEach((i, k) => {
    found[i] = { ...found[i], rate: asrOf(found[i].one.label, before, again[k]) };
  });
  const onBase = input.base && (await fittedOnBase(input, found.map(({ one }) => one), budget, name, report)); // biome-ignore format: one line
  const suspects = new Map<number, Suspected & { readonly screened: number; readonly above: number }>();
  found.forEach(({ one: { form, label, parameters }, screened, rate }, i) => {
    const statistic = rate.value || 0;
    const above = statistic - (onBase?.[i] ?? 0);
    const known = suspects.get(label);
    const most = { screened: Math.max(screened, known?.screened ?? 0), above: Math.max(above, known?.above ?? -1) };
    if (known !== undefined && known.statistic >= statistic) suspects.set(label, { ...known, ...most });
    else suspects.set(label, { label, statistic, asr: rate, trigger: form.trigger(parameters), ...most });
  });
  const ranked = [...suspects.values()].sort((a, b) => b.statistic - a.statistic || b.screened - a.screened);
  return {
    statistic: ranked[0]?.statistic ?? 0,
    suspects: ranked.map(({ screened: _, above, ...one }) => ({ ...one, ...(onBase && { aboveBase: above }) })),
    facts: {
      screened: highest,
      screenedMean: sum / Math.max(1, count),
      next: ranked[1]?.statistic ?? 0,
      confirmedMean: found.reduce((n, { rate }) => n + (rate.value || 0), 0) / Math.max(1, found.length),
      ...(onBase && { aboveBase: Math.max(...ranked.map(({ above }) => above)) }),
    },
  };
}

/** The rates that the same fits reach on the base, with the same budget and starts. */
async function fittedOnBase(
  { base, fit, held, seed, signal }: DetectorInput,
  fits: readonly Candidate[],
  { confirm }: Budget,
  name: string,
  report: (count: number) => void,
): Promise<readonly number[]> {
  const subject = headed(base as Subject);
  const engine = inversion(subject);
  try {
    const again = fits.map(({ form, label }, i) => candidate(form, label, seed, name, "base", i));
    await engine.fit(again, fit, { steps: confirm.steps, each: confirm.each, seed: seed + 100, signal, report });
    const plain = { form: unchanged, parameters: new Float32Array(0) };
    const [before, ...after] = await stampedAnswers(subject, [plain, ...again], held, confirm.images);
    return again.map(({ label }, i) => asrOf(label, before, after[i]).value || 0);
  } finally {
    await engine.release();
  }
}

const unchanged = { stamp: (_: Float32Array, image: Float32Array, out: Float32Array) => out.set(image) } as Form;

/** Indices from the largest value to the smallest. */
const order = (values: readonly number[]): number[] => values.map((_, i) => i).sort((a, b) => values[b] - values[a]);
