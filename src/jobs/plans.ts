/** How much work each job is, for --dry-run: its parts in images and texts, what it holds in memory, what it writes. */

import { isVision } from "../clip/parameters.ts";
import type { Dataset } from "../data/dataset.ts";
import { checkMethods } from "../defenses/index.ts";
import { type Clip, type LoadedClip, loadClip } from "../engine/clip.ts";
import { resolveRecipe } from "../engine/family-recipe.ts";
import { badInput } from "../tensor/error.ts";
import type { Weights } from "../tensor/tensor.ts";
import type { CleanOptions } from "./clean/clean.ts";
import { heldOutClasses, unknownTrigger } from "./clean/clean-setup.ts";
import { askedEffect, type EvaluateOptions } from "./eval/evaluate.ts";
import { openedModel } from "./inputs/describe-opened.ts";
import { checkChecks, checkEnoughImages, checkFits } from "./inputs/feasible.ts";
import { askedTrigger } from "./inputs/model-facts.ts";
import { checkedPrompts } from "./inputs/prompts.ts";
import { neededClasses, openSource } from "./inputs/source.ts";
import { loadSubject } from "./inputs/subject.ts";
import { type Estimate, estimate, fileBytes } from "./progress/estimate.ts";
import { cleanStages } from "./progress/stages.ts";

/** A cleaning: fine-tunings and searches by method, then the proof. */
export async function estimateClean(options: CleanOptions): Promise<Estimate> {
  options.signal?.throwIfAborted();
  const { model, sizes, out, methods, reboundSteps, checks, untouched, curvePoints = 0, triggered } = options;
  const clip = await loadClip(model, options);
  const { recipe } = resolveRecipe("clean", clip.config, options.recipe);
  checkMethods(methods, { clean: sizes.clean, isPaired: triggered === undefined });
  checkChecks(options.rule, checks);
  const source = await openSource(options.data, options);
  const carried = askedTrigger(clip.checkpoint.metadata, options);
  const target = options.target ?? carried?.target;
  if ((options.trigger ?? triggered ?? carried) === undefined) throw unknownTrigger(model);
  if (target === undefined) throw badInput("which class does the trigger lead to? name it with --target NAME");
  await checkFits(options.trigger, clip.config.vision.imageSize);
  const texts = checkedPrompts(source, target);
  const sets = await source.sets(sizes);
  options.progress?.opened?.({ models: [openedModel(clip.checkpoint)], data: source.opened() });
  checkSets(options, sets, target);
  const forget = triggered === undefined ? sets.forget.size : triggered.size / 2;
  const measured = 2 * (sets.validation.size + sets.test.size);
  return estimate({
    ...shared(options, clip, sets.test),
    job: "clean",
    batch: recipe.batch,
    parts: [
      { what: "load", texts },
      ...cleanStages({
        methods,
        forget,
        clean: sets.clean.size,
        validation: sets.validation.size,
        test: sets.test.size,
        epochs: recipe.epochs,
        checks,
        reboundSteps,
        curvePoints,
        hasUntouched: untouched !== undefined,
      }),
    ],
    copies: 5 + 2 * methods.length + (methods.includes("fisher") ? 2 : 0), // of a training; a tuned model and a vector of each method; squares
    kept: measured,
    outputs: [
      { path: out, bytes: fileBytes(clip.checkpoint) },
      { path: out && `${out}.vector.safetensors`, bytes: visionBytes(clip) },
    ],
  });
}

/** Throws as the cleaning would where its sets are too small; of images without labels that shows only when the model has answered. */
function checkSets(
  { rule, seed, triggered: given }: CleanOptions,
  { validation, test }: { readonly validation: Dataset; readonly test: Dataset },
  target: string,
): void {
  const { classNames = [] } = test;
  const label = classNames.indexOf(target);
  const isLabelled = [validation, test].every((set) => set.size === 0 || set.example(0).label !== undefined);
  const heldOut = heldOutClasses(classNames, label, seed);
  const usable = (set: Dataset, without: ReadonlySet<number>) => {
    const labels = Array.from({ length: set.size }, (_, i) => set.example(i).label as number);
    return { drawn: set.size, usable: labels.filter((one) => one !== label && !without.has(one)).length };
  };
  if (given !== undefined) {
    const quarter = Math.floor(given.size / 4);
    const part = { drawn: quarter, usable: quarter };
    checkEnoughImages(rule, { validation: part, test: part });
  } else if (isLabelled) {
    checkEnoughImages(rule, { validation: usable(validation, heldOut), test: usable(test, new Set()) });
  }
}

/** Measuring CA, and ASR where there is a trigger. */
export async function estimateEvaluation(options: EvaluateOptions): Promise<Estimate> {
  options.signal?.throwIfAborted();
  const clip = await loadSubject(options.model, options);
  const source = await openSource(options.data, options);
  const { trigger, target } = askedEffect(clip.metadata, neededClasses(source), options);
  await checkFits(trigger, clip.config.vision.imageSize);
  const texts = checkedPrompts(source, target);
  const { test } = await source.sets({ test: options.testImages });
  options.progress?.opened?.({ models: [clip.opened], data: source.opened() });
  const measured = test.size + (options.triggered?.size ?? (trigger === undefined ? 0 : test.size));
  return estimate({
    ...shared(options, clip, test),
    job: "eval",
    batch: 64,
    parts: [
      { what: "load", texts },
      { what: "measure", read: measured, encoded: measured },
    ],
    copies: 0,
    kept: test.size,
    outputs: [],
  });
}

function shared(
  { threads }: { readonly threads?: number },
  clip: Clip & { readonly weights: Weights },
  images: Dataset,
) {
  return { clip, weights: clip.weights, images, threads };
}

function visionBytes({ weights }: LoadedClip): number {
  return 4 * [...weights].reduce((n, [name, { data }]) => n + (isVision(name) ? data.length : 0), 0);
}
