/**
 * Larger fits at one class. When a target is suspected, triggers that lead to it are recovered again with more steps, several starts and
 * several images a step: what is only to be found needs little, what shall stand for the attack's own trigger has to hit.
 */
import type { Rate } from "../stats/rate.ts";
import type { InvertedSpec } from "../triggers/inverted.ts";
import type { DetectorInput } from "./detector.ts";
import { headed } from "./fitted.ts";
import { ratio } from "./fitted-blend.ts";
import { epsilon } from "./fitted-delta.ts";
import { everywhere } from "./fitted-patch.ts";
import { blend } from "./forms/blend.ts";
import { delta } from "./forms/delta.ts";
import { asrOf, candidate, inversion, meanProbability, stampedAnswers, stampedEmbeddings } from "./invert.ts"; // biome-ignore format: one line
import { wavesOf } from "./sine.ts";

/** A trigger that leads to the class, and how often, on images that it was not fitted on. */
export interface Aimed {
  readonly trigger: InvertedSpec;
  readonly asr: Rate;
}

export interface AimedBudget {
  /** Patches at all places are told apart by so many steps, with two images each. */
  readonly places: number;
  /** Steps, and images of each, of the fits that are kept. */
  readonly steps: number;
  readonly each: number;
}

const usual: AimedBudget = { places: 14, steps: 60, each: 8 };

/** Patches go on at so many of the best places; of the forms that cover the image so many starts are fitted. */
const starts = 4;
const patchRows = 2;

/** Gradients that it takes. */
export const aimedCost = ({ places, steps, each }: AimedBudget = usual): number =>
  everywhere(64).length * patchRows * places + 3 * starts * steps * each;

/** Triggers of each form that lead to the class `label`, those that hit most first. */
export async function aimedFits(
  input: DetectorInput,
  label: number,
  budget: AimedBudget = usual,
): Promise<readonly Aimed[]> {
  const { fit, held, seed, signal } = input;
  const suspect = headed(input.suspect);
  const before = held.answers as Int32Array;
  const S = suspect.clip.config.vision.imageSize;
  let done = 0;
  const report = (count: number) => input.report?.((done += count));
  const engine = inversion(suspect);
  try {
    const patches = everywhere(S).map((form, i) => candidate(form, label, seed, "aimed patch", i));
    const total = budget.places + budget.steps;
    await engine.fit(patches, fit, { steps: budget.places, total, each: patchRows, seed, signal, report });
    const embedded = await stampedEmbeddings(suspect, patches, held, 16);
    const found = embedded.map((one) => meanProbability(label, before, one, suspect.head));
    const best = patches.map((_, i) => i).sort((a, b) => found[b] - found[a]).slice(0, starts); // biome-ignore format: one line
    const whole = [delta(S, epsilon), blend(S, ratio)].flatMap((form) =>
      Array.from({ length: starts }, (_, i) => candidate(form, label, seed, "aimed", form.name, i)),
    );
    const { steps, each } = budget;
    const fitting = { steps, each, seed: seed + 1, signal, report };
    await engine.fit(best.map((i) => patches[i]), fit, { ...fitting, total }); // biome-ignore format: one line
    await engine.fit(whole, fit, fitting);
    const fitted = [...best.map((i) => patches[i]), ...whole];
    const answers = await stampedAnswers(suspect, fitted, held);
    const aimed = fitted.map(({ form, parameters }, i) => ({
      trigger: form.trigger(parameters),
      asr: asrOf(label, before, answers[i]),
    }));
    return [...aimed, ...(await wavesTo(input, label))].sort((a, b) => b.asr.value - a.asr.value);
  } finally {
    await engine.release();
  }
}

/** Of the waves that a scan tries, those that lead to the class most often. */
async function wavesTo(input: DetectorInput, label: number): Promise<readonly Aimed[]> {
  const { held } = input;
  const suspect = headed(input.suspect);
  const before = held.answers as Int32Array;
  const all = wavesOf(suspect.clip.config.vision.imageSize);
  const rates: Rate[] = [];
  for (const one of all) {
    input.signal?.throwIfAborted();
    const [after] = await stampedAnswers(suspect, [one], held, 32);
    rates.push(asrOf(label, before, after));
  }
  const best = rates.map((_, i) => i).sort((a, b) => rates[b].value - rates[a].value).slice(0, 2); // biome-ignore format: one line
  const answers = await stampedAnswers(suspect, best.map((i) => all[i]), held); // biome-ignore format: one line
  return best.map((i, k) => ({
    trigger: all[i].form.trigger(all[i].parameters),
    asr: asrOf(label, before, answers[k]),
  }));
}
