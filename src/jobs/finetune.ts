/** Fine-tuning on a task: ordinary labelled images, image tower only, accuracy before and after. What is merged is made of these. */

import { refuseCheckpoint, writeCheckpoint } from "../checkpoint/clip-folder.ts";
import { asStored } from "../checkpoint/rounding.ts";
import { isProjection } from "../clip/parameters.ts";
import { loadClip } from "../engine/clip.ts";
import { type Defaults, familyRecipe, type Given, resolveRecipe } from "../engine/family-recipe.ts";
import { finetune, type Recipe } from "../engine/finetune.ts";
import { createScorer } from "../engine/scorer.ts";
import { zeroShotHead } from "../engine/zero-shot.ts";
import { writeTogether } from "../files/output-set.ts";
import { version } from "../files/version.ts";
import { labelsOf, measure, metric } from "../metrics/accuracy.ts";
import type { CheckpointFacts, Machine } from "../results/result.ts";
import type { Device } from "../runtime/onnxruntime.ts";
import type { Rate } from "../stats/rate.ts";
import { badInput } from "../tensor/error.ts";
import type { Weights } from "../tensor/tensor.ts";
import { checkClasses } from "./inputs/classes.ts";
import { openedModel } from "./inputs/describe-opened.ts";
import { receiptKey } from "./inputs/model-facts.ts";
import { neededClasses, openSource, type SourceOptions } from "./inputs/source.ts";
import { finetuneStages } from "./progress/stages.ts";
import { Clock, checkpointFacts, type JobOptions, machineFacts, silent } from "./record/facts.ts";

export interface FinetuneOptions extends JobOptions, SourceOptions {
  readonly model: string;
  readonly data: string;
  /** Where the fine-tuned checkpoint goes; without it nothing is written. */
  readonly out?: string;
  readonly force?: boolean;
  /** Training and test images. */
  readonly images: number;
  readonly testImages: number;
  /** What it leaves open is filled in by the model's family. */
  readonly recipe: Given;
  readonly device?: Device;
  readonly threads?: number;
  readonly command?: string;
}

export interface FinetuneResult {
  readonly kind: "finetune";
  readonly tbar: string;
  readonly created: string;
  readonly command: string;
  readonly seed: number;
  readonly model: CheckpointFacts;
  readonly data: string;
  /** What makes figures doubtful: classes that the model cannot tell apart. */
  readonly warnings?: readonly string[];
  readonly images: number;
  readonly recipe: Recipe;
  /** What of the recipe was not given, and why it is what it is. */
  readonly defaults?: Defaults;
  /** Clean accuracy on the test set. */
  readonly before: Rate;
  readonly after: Rate;
  readonly output?: { readonly path: string };
  readonly seconds: number;
  readonly timings: readonly { readonly what: string; readonly seconds: number }[];
  readonly machine: Machine;
}

/** Settings that teach the embedded model a label set of its world so that it survives a merge; docs/merging.md. */
export const finetuneDefaults = {
  images: 8000,
  testImages: 2000,
  recipe: familyRecipe("finetune", "small"),
} as const;

/** Fine-tune the image tower under the frozen zero-shot head of the data's classes, measure, and write when `out` is given. */
export function finetuneModel(options: FinetuneOptions): Promise<FinetuneResult> {
  return writeTogether("finetune", options, finetuneAndWrite);
}

async function finetuneAndWrite(options: FinetuneOptions): Promise<FinetuneResult> {
  const { progress = silent, signal, seed, out } = options;
  const clock = new Clock();
  const stage = (what: string) => {
    clock.stage(what);
    progress.stage(what);
  };
  stage("load");
  const clip = await loadClip(options.model, options);
  const { checkpoint } = clip;
  const { recipe, defaults } = resolveRecipe("finetune", clip.config, options.recipe);
  if (out !== undefined) await refuseCheckpoint(out, checkpoint, [], options);
  const source = await openSource(options.data, options);
  checkModules(options, clip.weights);
  const classNames = neededClasses(source);
  const sets = await source.sets({ finetune: options.images, test: options.testImages });
  progress.opened?.({ models: [openedModel(checkpoint)], data: source.opened() });
  const warnings = checkClasses(clip.tokenize, { classNames, template: source.templates[0] });
  const head = await zeroShotHead(clip.encoder, clip.weights, classNames, source.templates, signal);
  const isProjection = recipe.modules === "projection";
  const [images, test] = [sets.finetune.size, sets.test.size];
  progress.plan?.(finetuneStages({ images, test, epochs: recipe.epochs, isProjection }));
  const accuracy = metric(createScorer(clip, sets.test, head, { signal, onStep: progress.step }), labelsOf(sets.test));

  stage("measure before");
  const before = await measure(accuracy, clip.weights);

  stage("fine-tune");
  const tuned = await finetune(clip, clip.weights, sets.finetune, head, recipe, {
    signal,
    onStep: ({ step, loss }, steps) => progress.step(step, steps, `loss ${loss.toFixed(3)}`),
  });
  const weights = asStored(tuned, checkpoint.dtypes, clip.weights);

  stage("measure after");
  const after = await measure(accuracy, weights);
  const result: FinetuneResult = {
    kind: "finetune",
    tbar: version,
    created: new Date().toISOString(),
    command: options.command ?? "",
    seed,
    model: await checkpointFacts(checkpoint),
    data: source.name,
    ...(warnings.length > 0 && { warnings }),
    images: sets.finetune.size,
    recipe,
    ...(defaults && { defaults }),
    before,
    after,
    seconds: clock.seconds(),
    timings: clock.timings(),
    machine: machineFacts(clip.runtime, options.threads),
    ...(out !== undefined && { output: { path: out } }),
  };
  if (out !== undefined) {
    stage("write");
    const { [receiptKey]: _, ...kept } = checkpoint.metadata; // its figures are those of other weights
    const { data, images, model } = result;
    const metadata = {
      ...kept,
      "tbar.finetune": JSON.stringify({ parent: model.sha256, data, images, recipe, before, after }),
    };
    await writeCheckpoint(out, { like: { ...checkpoint, metadata }, weights }, options);
  }
  await clip.runtime.release();
  const now = { created: new Date().toISOString(), seconds: clock.seconds(), timings: clock.timings() };
  return { ...result, ...now };
}

/** Throws TbarError where what shall learn is not there. */
export function checkModules({ model, recipe }: FinetuneOptions, weights: Weights): void {
  if (recipe.modules === "projection" && ![...weights.keys()].some(isProjection))
    throw badInput(`${model} has no image projection to train; --modules all trains its image tower`);
}
