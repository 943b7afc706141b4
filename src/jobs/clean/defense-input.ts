/** What the defenses are handed: the model's fine-tunings, gradients and answers on the bench of a cleaning. */
import type { Dataset } from "../../data/dataset.ts";
import { withCaptions, withLabels } from "../../data/relabel.ts";
import { concat, subset, take } from "../../data/split.ts";
import { isForStandIns } from "../../defenses/alpha-search.ts";
import { anchoredSet } from "../../defenses/anchored.ts";
import type { Answered, DefenseInput, Variation } from "../../defenses/defense.ts";
import { meanActivations } from "../../engine/activations.ts";
import { finetune, type Recipe } from "../../engine/finetune.ts";
import { gradientSquares } from "../../engine/gradient-squares.ts";
import { inputMoments, product } from "../../engine/moments.ts";
import { createScorer, embedImages } from "../../engine/scorer.ts";
import { usualTask } from "../../engine/tasks.ts";
import type { StepReport } from "../../engine/training.ts";
import { universalPerturbation, withPerturbation } from "../../engine/universal.ts";
import type { Weights } from "../../tensor/tensor.ts";
import type { Context } from "../context.ts";
import type { Work } from "../progress/work.ts";
import type { Bench } from "./bench.ts";
import { hasCaptions } from "./needs.ts";
import { standInRate } from "./prepare.ts";
import type { Spending } from "./spending.ts";

/** By what trainings go, where they are kept, and who counts what they take. */
interface Means {
  readonly recipe: Recipe;
  readonly seed: number;
  readonly work?: Work;
  readonly spending: Spending;
  /** What fine-tuning on the forget set gives, where that is known. */
  readonly learned?: Weights;
}

/** Fine-tunings and gradients asked for twice are made once. */
export function defenseInput(
  bench: Bench,
  { recipe, seed, work, spending, learned: given }: Means,
  { signal, progress }: Context,
  searches: Pick<DefenseInput, "search" | "among">,
): DefenseInput {
  const { clip, head, attack, clean, source } = bench;
  const { templates } = source;
  const isOfPairs = recipe.objective === "contrastive";
  const captioned = (data: Dataset) => (isOfPairs ? withCaptions(data, templates, seed) : data);
  const taskOf = (data: Dataset, asked: Recipe) => usualTask(clip, captioned(data), head, asked);
  const onStep = ({ step, loss }: StepReport, steps: number) => progress.step(step, steps, `loss ${loss.toFixed(3)}`);
  const tuned = new Map<string, Promise<Weights>>();
  const squares = new Map<Dataset, Promise<Weights>>();
  const ids = new Map<Dataset, number>();
  const idOf = (data: Dataset) => {
    if (!ids.has(data)) ids.set(data, ids.size);
    return ids.get(data);
  };
  const tune = async (data: Dataset, { seed: other = 0, lr = 1, objective, from }: Variation, name?: string) => {
    const varied = { ...recipe, seed: seed + 1000 * other, lr: recipe.lr * lr };
    const usual = taskOf(data, varied);
    const task = objective === undefined ? usual : { ...usual, objective: objective.of(usual.objective) };
    return finetune(clip, from ?? clip.weights, task, varied, {
      keep: name === undefined ? undefined : work?.training(name),
      signal,
      onStep,
    });
  };
  let learned = 0;
  let moments: ReturnType<DefenseInput["moments"]> | undefined;
  const pairs = attack.forgetClean;
  let answered: Promise<Answered> | undefined;
  let anchored: Dataset | undefined;
  return {
    backdoored: clip.weights,
    forget: attack.forget,
    clean,
    head,
    ...captionedOf(bench),
    ...trainingOf(bench),
    templates,
    get anchored() {
      return (anchored ??= anchoredSet(attack.forget, clean));
    },
    onStandIns: isForStandIns(bench.rule),
    answered:
      pairs &&
      (() => {
        spending.encoded(pairs);
        return (answered ??= ownAnswers(bench, pairs, signal));
      }),
    learn(data, make, { lr = 1, from = clip.weights } = {}) {
      const varied = { ...recipe, seed, lr: recipe.lr * lr };
      const task = make({ clip, data: captioned(data), head, recipe: varied });
      spending.see(data);
      const counted = { ...task, batches: (at: number) => spending.counting(task.batches(at)) };
      return finetune(clip, from, counted, varied, { keep: work?.training(`learned-${++learned}`), signal, onStep });
    },
    embed(data) {
      spending.encoded(data);
      return embedImages(clip, clip.weights, data, { signal });
    },
    moments(images) {
      if (moments === undefined) for (const data of Object.values(images)) if (data) spending.encoded(data);
      return (moments ??= inputMoments(clip, clip.weights, images, { signal })); // of the forget set, whoever asks
    },
    product: (a, b) => product(clip.runtime, a, b),
    activations(data) {
      spending.encoded(data);
      return meanActivations(clip, clip.weights, data, { signal });
    },
    async perturbed(data, { weights, seed: other }) {
      spending.trained(data, 1);
      const asked = { head, batch: recipe.batch, seed: seed + 1000 * other, signal };
      return withPerturbation(data, await universalPerturbation(clip, weights, data, asked));
    },
    finetune(data, variation = {}) {
      if (given !== undefined && data === attack.forget && Object.keys(variation).length === 0)
        return Promise.resolve(given);
      const key = JSON.stringify([idOf(data), variation]);
      const isNew = variation.from !== undefined;
      spending.trained(data, recipe.epochs, isNew ? undefined : key);
      if (isNew) return tune(data, variation);
      const weights = tuned.get(key) ?? tune(data, variation, `tuned-${tuned.size + 1}`);
      tuned.set(key, weights);
      return weights;
    },
    gradientSquares(data) {
      spending.trained(data, 1, `squares of ${idOf(data)}`);
      const known =
        squares.get(data) ?? gradientSquares(clip, clip.weights, taskOf(data, { ...recipe, epochs: 1, seed }), signal);
      squares.set(data, known);
      return known;
    },
    ...searches,
  };
}

/** Clean images with captions: those that are drawn, but for the classes that no defense sees. */
function captionedOf({ drawn, heldOut }: Bench): Pick<DefenseInput, "captioned"> {
  if (!hasCaptions(drawn.clean)) return {};
  const indices = Array.from({ length: drawn.clean.size }, (_, i) => i);
  const kept = indices.filter((i) => !heldOut.has(drawn.clean.example(i).label as number));
  return { captioned: subset(drawn.clean, kept) };
}

/** The set that the user brought, or where the trigger is known one that stands for it: clean images, and one in ten with the trigger. */
function trainingOf({ training, attack, clean, threat }: Bench): Pick<DefenseInput, "training"> {
  if (training !== undefined) return { training };
  if (threat.trigger === undefined || clean.size === 0) return {};
  const poisoned = take(attack.forget, Math.round((standInRate / (1 - standInRate)) * clean.size));
  return { training: concat([clean, poisoned]) };
}

async function ownAnswers({ clip, head, attack }: Bench, images: Dataset, signal?: AbortSignal): Promise<Answered> {
  const answers = await createScorer(clip, images, head, { signal }).answers(clip.weights);
  return { pairs: withLabels(images, answers), undone: withLabels(attack.forget, answers) };
}
