/** What the defenses are handed: the model's fine-tunings, gradients and answers on the bench of a cleaning. */
import type { Dataset } from "../../data/dataset.ts";
import { withLabels } from "../../data/relabel.ts";
import { anchoredSet } from "../../defenses/anchored.ts";
import type { Answered, DefenseInput, Variation } from "../../defenses/defense.ts";
import { finetune, type Recipe } from "../../engine/finetune.ts";
import { gradientSquares } from "../../engine/gradient-squares.ts";
import { createScorer, embedImages } from "../../engine/scorer.ts";
import { underHead } from "../../engine/tasks.ts";
import { universalPerturbation, withPerturbation } from "../../engine/universal.ts";
import type { Weights } from "../../tensor/tensor.ts";
import type { Context } from "../context.ts";
import type { Work } from "../progress/work.ts";
import type { Bench } from "./bench.ts";

/** Strengths of Fisher's weighting where the trigger only stands for another. */
const standInLambdas = [300, 3000];

/** Fine-tunings and gradients asked for twice are made once. */
export function defenseInput(
  bench: Bench,
  { recipe, seed }: { readonly recipe: Recipe; readonly seed: number },
  work: Work | undefined,
  { signal, progress }: Context,
  search: DefenseInput["search"],
): DefenseInput {
  const { clip, head, attack, clean } = bench;
  const tuned = new Map<string, Promise<Weights>>();
  const squares = new Map<Dataset, Promise<Weights>>();
  const ids = new Map<Dataset, number>();
  const idOf = (data: Dataset) => {
    if (!ids.has(data)) ids.set(data, ids.size);
    return ids.get(data);
  };
  const tune = async (data: Dataset, { seed: other = 0, lr = 1, objective, from }: Variation, name?: string) => {
    const varied = { ...recipe, seed: seed + 1000 * other, lr: recipe.lr * lr };
    const usual = underHead(clip, data, head, varied);
    const task = objective === undefined ? usual : { ...usual, objective: objective.of(usual.objective) };
    return finetune(clip, from ?? clip.weights, task, varied, {
      keep: name === undefined ? undefined : work?.training(name),
      signal,
      onStep: ({ step, loss }, steps) => progress.step(step, steps, `loss ${loss.toFixed(3)}`),
    });
  };
  const pairs = attack.forgetClean;
  let answered: Promise<Answered> | undefined;
  let anchored: Dataset | undefined;
  return {
    backdoored: clip.weights,
    forget: attack.forget,
    clean,
    get anchored() {
      return (anchored ??= anchoredSet(attack.forget, clean));
    },
    ...(bench.rule.name === "agreement" && { lambdas: standInLambdas }),
    answered: pairs && (() => (answered ??= ownAnswers(bench, pairs, signal))),
    embed: (data) => embedImages(clip, clip.weights, data, { signal }),
    async perturbed(data, { weights, seed: other }) {
      const asked = { head, batch: recipe.batch, seed: seed + 1000 * other, signal };
      return withPerturbation(data, await universalPerturbation(clip, weights, data, asked));
    },
    finetune(data, variation = {}) {
      if (variation.from !== undefined) return tune(data, variation);
      const key = JSON.stringify([idOf(data), variation]);
      const weights = tuned.get(key) ?? tune(data, variation, `tuned-${tuned.size + 1}`);
      tuned.set(key, weights);
      return weights;
    },
    gradientSquares(data) {
      const known =
        squares.get(data) ?? gradientSquares(clip, clip.weights, data, head, { batch: recipe.batch, seed, signal });
      squares.set(data, known);
      return known;
    },
    search,
  };
}

async function ownAnswers({ clip, head, attack }: Bench, images: Dataset, signal?: AbortSignal): Promise<Answered> {
  const answers = await createScorer(clip, images, head, { signal }).answers(clip.weights);
  return { pairs: withLabels(images, answers), undone: withLabels(attack.forget, answers) };
}
