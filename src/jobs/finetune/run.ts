/** Fine-tuning on a task: ordinary images, labelled or with captions, accuracy before and after. What is merged is made of these. */

import { asStored } from "../../checkpoint/rounding.ts";
import { refuseCheckpoint, writeCheckpoint } from "../../checkpoint/write-checkpoint.ts";
import { withCaptions } from "../../data/relabel.ts";
import { resolveRecipe } from "../../engine/family-recipe.ts";
import { finetune as train } from "../../engine/finetune.ts";
import { learnedValues, momentBytes } from "../../engine/learned-values.ts";
import type { HeadOf } from "../../engine/live-head.ts";
import { createScorer } from "../../engine/scorer.ts";
import { usualTask } from "../../engine/tasks.ts";
import { labelsOf, measure, metric } from "../../metrics/accuracy.ts";
import { made } from "../../results/base.ts";
import type { FinetuneResult } from "../../results/finetune.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Context } from "../context.ts";
import { checkClasses } from "../inputs/classes.ts";
import { openedModel } from "../inputs/describe-opened.ts";
import { checkFits, checkModules, checkPairs } from "../inputs/feasible.ts";
import { headsOf } from "../inputs/heads.ts";
import { receiptKey } from "../inputs/model-facts.ts";
import { openClip } from "../inputs/open-clip.ts";
import { neededClasses, openSource } from "../inputs/source.ts";
import { finetuneStages } from "../progress/stages.ts";
import { stepWork } from "../progress/tower-work.ts";
import { Clock, checkpointFacts } from "../record/facts.ts";
import type { FinetuneSpec as Spec } from "./spec.ts";
import { stampedShare } from "./triggered.ts";

/** Model, recipe and images of a fine-tuning, checked; no pixel is read. Throws TbarError where something does not fit. */
export async function openFinetune(spec: Spec, context: Context) {
  const clip = await openClip(spec, context);
  const { recipe, defaults } = resolveRecipe("finetune", clip.config, { ...spec.recipe, seed: spec.seed });
  checkModules(clip, recipe, spec.model);
  if (spec.out !== undefined)
    await refuseCheckpoint(spec.out, clip.checkpoint, [], { force: spec.force, set: context.set });
  const source = await openSource(spec.data, spec);
  const classNames = neededClasses(source);
  const drawn = await source.sets({ finetune: spec.images, test: spec.testImages });
  const isOfPairs = recipe.objective === "contrastive";
  const learned = isOfPairs ? withCaptions(drawn.finetune, source.templates, spec.seed) : drawn.finetune;
  const sets = { ...drawn, finetune: learned };
  if (isOfPairs) checkPairs(learned, recipe);
  const facts = { classNames, templates: source.templates, metadata: clip.checkpoint.metadata };
  const stamped = await stampedShare(learned, spec, facts, context);
  await checkFits(stamped?.trigger, clip.config.vision.imageSize);
  context.progress.opened?.({ models: [openedModel(clip.checkpoint)], data: source.opened() });
  const warnings = checkClasses(clip.tokenize, { classNames, template: source.templates[0] });
  const stages = finetuneStages({
    images: (stamped?.images ?? sets.finetune).size,
    test: sets.test.size,
    epochs: recipe.epochs,
    step: stepWork(clip.config, recipe.modules),
  });
  const trains = stamped?.images ?? sets.finetune;
  return { clip, recipe, defaults, source, classNames, sets, trains, stamped, warnings, stages };
}

/** Fine-tune the image tower under the frozen zero-shot head of the data's classes, or by contrast, measure, and write when `out` is given. */
export async function finetune(spec: Spec, context: Context): Promise<FinetuneResult> {
  const { progress, signal, command, set } = context;
  const { seed, out, force, threads } = spec;
  const clock = new Clock(progress);
  clock.stage("load");
  const { clip, recipe, defaults, source, classNames, sets, trains, stamped, warnings, stages } = await openFinetune(
    spec,
    context,
  );
  const { checkpoint } = clip;
  const heads = await headsOf(clip, { classNames, templates: source.templates }, recipe, signal);
  progress.plan?.(stages);
  const accuracyUnder = (head: Tensor | HeadOf) =>
    metric(createScorer(clip, sets.test, head, { signal, onStep: progress.step }), labelsOf(sets.test));
  const accuracy = accuracyUnder(heads.asked);

  clock.stage("measure before");
  const before = await measure(accuracy, clip.weights);

  clock.stage("fine-tune");
  const since = clock.seconds();
  const tuned = await train(clip, clip.weights, usualTask(clip, trains, heads.frozen, recipe), recipe, {
    signal,
    onStep: ({ step, loss }, steps) => progress.step(step, steps, `loss ${loss.toFixed(3)}`),
  });
  const learned = {
    values: learnedValues(clip.config, recipe),
    momentBytes: momentBytes(clip.config, recipe),
    peakBytes: 1024 * process.resourceUsage().maxRSS, // kilobytes, on every system
    seconds: clock.seconds() - since,
  };
  const weights = asStored(tuned, checkpoint.dtypes, clip.weights);

  clock.stage("measure after");
  const after = await measure(accuracy, weights);
  const frozenHead = heads.asked === heads.frozen ? undefined : await measure(accuracyUnder(heads.frozen), weights);
  const model = await checkpointFacts(checkpoint);
  const [data, images] = [source.name, trains.size];
  const triggered = stamped && { trigger: stamped.trigger.spec, target: stamped.target, share: spec.triggerShare };
  if (out !== undefined) {
    clock.stage("write");
    const { [receiptKey]: _, ...kept } = checkpoint.metadata; // its figures are those of other weights
    const facts = JSON.stringify({ parent: model.sha256, data, images, triggered, recipe, before, after });
    const like = { ...checkpoint, metadata: { ...kept, "tbar.finetune": facts } };
    await writeCheckpoint(out, { like, weights }, { force, set });
  }
  return {
    ...made("finetune", 2, command),
    seed,
    model,
    data,
    ...(warnings.length > 0 && { warnings }),
    images,
    ...(triggered && { triggered }),
    recipe,
    ...(defaults && { defaults }),
    learned,
    before,
    after,
    ...(frozenHead && { frozenHead }),
    ...clock.facts(clip.runtime, threads),
    ...(out !== undefined && { output: { path: out } }),
  };
}
