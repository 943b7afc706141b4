/**
 * Ours: triggers of one form fitted to every class with a fixed, small budget. A clean model hardly gives way in so few steps; towards a
 * backdoor's target it does, since there is a road already. All classes are screened by a few steps; the best are fitted anew with more,
 * and the share of held-out images that these carry to their class is the statistic: a rate at a fixed budget, not the size of a mask.
 */

import type { Rate } from "../stats/rate.ts";
import { badInput } from "../tensor/error.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Cost, Detector, DetectorInput, Finding, Size, Subject, Suspected } from "./detector.ts";
import type { Form } from "./forms/form.ts";
import {
  asrOf,
  type Candidate,
  candidate,
  type Fitting,
  type Inversion,
  inversion,
  meanProbability,
  nothing,
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

/** A detector that fits a trigger of each family, of images of S x S, to every class. How many families there are is the same for every S. */
export function fittedDetector(
  told: Pick<Detector, "name" | "title" | "about" | "statistic" | "quick">,
  budget: Budget,
  familiesOf: Families,
): Detector {
  return {
    ...told,
    needs: ["class names"],
    cost: (size) => costOfFits(size, familiesOf, budget),
    run: (input) => fitted(input, familiesOf, budget, told.name),
  };
}
const anySize = 64;

/** The families of forms for images of S x S. */
export type Families = (S: number) => readonly Family[];

/** The same of a single form. */
export const oneForm = (form: Form): readonly Family[] => [{ screen: form, confirm: [form] }];

/** What `fitted` takes. */
export function costOfFits(
  { classes, base, held }: Size,
  familiesOf: Families,
  { screen, keep, confirm }: Budget,
): Cost {
  const families = familiesOf(anySize);
  const classesLeft = Math.min(classes, mostScreened);
  const steps = Math.min(firstSteps, screen.steps);
  const screened = families.length * (classes * steps + classesLeft * (screen.steps - steps));
  const fits = keep * families.reduce((sum, { confirm }) => sum + confirm.length, 0) * (base ? 2 : 1);
  return {
    gradients: screened + fits * confirm.steps * confirm.each,
    encoded:
      families.length * classesLeft * Math.min(held, screen.images) +
      fits * Math.min(held, confirm.images) +
      finalists * held,
  };
}

/** The head of a model under suspicion. Throws `bad-input` where it has none. */
export function headed(subject: Subject): Subject & { readonly head: Tensor } {
  const { head } = subject;
  if (head === undefined)
    throw badInput("this detector asks for class names and a text tower: it has no class to aim at");
  return { ...subject, head };
}

/** A trigger of a class that was fitted anew: what the screening made of the class, and how often it hits. */
interface Fit {
  readonly one: Candidate;
  readonly screened: number;
  readonly rate: Rate;
}

/** Screens all classes with each family and fits the best of them anew. The suspects come by class, the best trigger of each. */
export async function fitted(
  input: DetectorInput,
  familiesOf: Families,
  budget: Budget,
  name: string,
): Promise<Finding> {
  const suspect = headed(input.suspect);
  const families = familiesOf(suspect.clip.config.vision.imageSize);
  let done = 0;
  const report = (count: number) => input.report?.((done += count));
  const screened: number[] = [];
  const found: Fit[] = [];
  const engine = inversion(suspect);
  try {
    for (const [f, family] of families.entries()) {
      const fitting = { seed: input.seed + f, signal: input.signal, report };
      const classes = await screen(input, engine, family, budget, fitting, [name, f]);
      screened.push(...classes.map(({ screened }) => screened));
      const best = order(classes.map(({ screened }) => screened)).slice(0, budget.keep).map((i) => classes[i]); // biome-ignore format: one line
      found.push(...(await confirm(input, engine, family, best, budget, fitting, [name, f])));
    }
  } finally {
    await engine.release();
  }
  const best = order(found.map(shareOf)).slice(0, finalists);
  const before = input.held.answers as Int32Array;
  const answers = await stampedAnswers(suspect, best.map((i) => found[i].one), input.held); // biome-ignore format: one line
  best.forEach((i, k) => {
    found[i] = { ...found[i], rate: asrOf(found[i].one.label, before, answers[k]) };
  });
  const onBase = input.base && (await fittedOnBase(input, found.map(({ one }) => one), budget, name, report)); // biome-ignore format: one line
  const ranked = byClass(found, onBase);
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / Math.max(1, values.length);
  return {
    statistic: ranked[0]?.statistic ?? 0,
    suspects: ranked.map(({ screened: _, above, ...one }) => ({ ...one, ...(onBase && { aboveBase: above }) })),
    facts: {
      screened: Math.max(0, ...screened),
      screenedMean: mean(screened),
      next: ranked[1]?.statistic ?? 0,
      confirmedMean: mean(found.map(shareOf)),
      ...(onBase && { aboveBase: Math.max(...ranked.map(({ above }) => above)) }),
    },
  };
}

const shareOf = ({ rate }: Fit): number => rate.value || 0;

type Course = Pick<Fitting, "seed" | "signal" | "report">;
type Path = readonly (number | string)[];

/** A few steps towards every class: the mean probability of it that they reach. */
async function screen(
  { suspect, fit, held, classNames, seed }: DetectorInput,
  engine: Inversion,
  { screen: form }: Family,
  { screen: { steps, images } }: Budget,
  course: Course,
  path: Path,
) {
  const model = headed(suspect);
  const probabilities = async (some: readonly Candidate[], count: number) =>
    (await stampedEmbeddings(model, some, held, count)).map((after, i) =>
      meanProbability(some[i].label, held.answers as Int32Array, after, model.head),
    );
  let all = classNames.map((_, label) => candidate(form, label, seed, ...path, label));
  const fitting = { ...course, total: steps, each: 1 };
  let left = steps;
  if (all.length > mostScreened) {
    await engine.fit(all, fit, { ...fitting, steps: firstSteps });
    left -= firstSteps;
    const first = await probabilities(all, 4);
    all = order(first).slice(0, mostScreened).map((i) => all[i]); // biome-ignore format: one line
  }
  await engine.fit(all, fit, { ...fitting, steps: left });
  const screened = await probabilities(all, images);
  return all.map(({ label }, i) => ({ label, screened: screened[i] }));
}

/** More steps towards the best classes, from new starts. */
async function confirm(
  { suspect, fit, held, seed }: DetectorInput,
  engine: Inversion,
  { confirm: forms }: Family,
  best: readonly { readonly label: number; readonly screened: number }[],
  { confirm: { steps, each, images } }: Budget,
  course: Course,
  [name, f]: Path,
): Promise<Fit[]> {
  const again = best.flatMap(({ label, screened }) =>
    forms.map((form, g) => ({ one: candidate(form, label, seed, name, "again", f, g, label), screened })),
  );
  const candidates = again.map(({ one }) => one);
  await engine.fit(candidates, fit, { ...course, seed: course.seed + anew, steps, each });
  const answers = await stampedAnswers(headed(suspect), candidates, held, images);
  const before = held.answers as Int32Array;
  return again.map((fit, i) => ({ ...fit, rate: asrOf(fit.one.label, before, answers[i]) }));
}

/** Of each class its best trigger, and the most that any of its fits had in the screening and above the base. */
function byClass(found: readonly Fit[], onBase: readonly number[] | undefined) {
  const suspects = new Map<number, Suspected & { readonly screened: number; readonly above: number }>();
  found.forEach((fit, i) => {
    const { form, label, parameters } = fit.one;
    const statistic = shareOf(fit);
    const known = suspects.get(label);
    const most = {
      screened: Math.max(fit.screened, known?.screened ?? 0),
      above: Math.max(statistic - (onBase?.[i] ?? 0), known?.above ?? -1),
    };
    if (known !== undefined && known.statistic >= statistic) suspects.set(label, { ...known, ...most });
    else suspects.set(label, { label, statistic, asr: fit.rate, trigger: form.trigger(parameters), ...most });
  });
  return [...suspects.values()].sort((a, b) => b.statistic - a.statistic || b.screened - a.screened);
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
    await engine.fit(again, fit, { steps: confirm.steps, each: confirm.each, seed: seed + anew, signal, report });
    const [before, ...after] = await stampedAnswers(subject, [nothing, ...again], held, confirm.images);
    return again.map(({ label }, i) => asrOf(label, before, after[i]).value || 0);
  } finally {
    await engine.release();
  }
}

/** Fits anew see other images than the screening: their seed is so much farther. */
const anew = 100;

/** Indices from the largest value to the smallest. */
const order = (values: readonly number[]): number[] => values.map((_, i) => i).sort((a, b) => values[b] - values[a]);
