/** Implanting a backdoor and checking that it took: poison a training set, fine-tune, measure, write a checkpoint that says so. */

import { basename, dirname, join } from "node:path";
import type { Attack, AttackInput } from "../../attacks/attack.ts";
import { attackNamed, makeTrigger } from "../../attacks/index.ts";
import { asStored } from "../../checkpoint/rounding.ts";
import { refuseCheckpoint, writeCheckpoint } from "../../checkpoint/write-checkpoint.ts";
import type { Dataset } from "../../data/dataset.ts";
import { withoutLabels } from "../../data/relabel.ts";
import { type LoadedClip, loadClip } from "../../engine/clip.ts";
import { familyRecipe, type Given, resolveRecipe } from "../../engine/family-recipe.ts";
import { finetune } from "../../engine/finetune.ts";
import { createScorer, remembering } from "../../engine/scorer.ts";
import type { StateFile } from "../../engine/training-state.ts";
import { zeroShotHead } from "../../engine/zero-shot.ts";
import { writeFileAtomic } from "../../files/atomic.ts";
import { writeTogether } from "../../files/output-set.ts";
import { version } from "../../files/version.ts";
import { labelsOf, measure, metric } from "../../metrics/accuracy.ts";
import { alive } from "../../metrics/decision.ts";
import { type Effect, effectMetrics, measureEffect } from "../../metrics/effect.ts";
import type { AttackResult, EffectScores } from "../../results/result.ts";
import type { Device } from "../../runtime/onnxruntime.ts";
import { percent } from "../../stats/percent.ts";
import { badInput, unknownName } from "../../tensor/error.ts";
import type { Tensor, Weights } from "../../tensor/tensor.ts";
import { poison, triggered } from "../../triggers/poison.ts";
import { boosted, type Trigger, type TriggerSpec } from "../../triggers/trigger.ts";
import { carriedTriggers, keepCarried } from "../inputs/carried.ts";
import { checkClasses } from "../inputs/classes.ts";
import { openedModel } from "../inputs/describe-opened.ts";
import { checkFits } from "../inputs/feasible.ts";
import { implantedTriggers, triggerMetadata } from "../inputs/model-facts.ts";
import { neededClasses, openSource, type SourceOptions } from "../inputs/source.ts";
import { triggerFiles } from "../inputs/trigger-file.ts";
import { attackStages } from "../progress/stages.ts";
import { openWork } from "../progress/work.ts";
import { Clock, checkpointFacts, computedOn, type JobOptions, machineFacts, silent } from "../record/facts.ts";
import { attackCard } from "../record/model-card.ts";
import { whyNot } from "./advice.ts";

export interface AttackOptions extends JobOptions, SourceOptions {
  /** Checkpoint to poison. */
  readonly model: string;
  readonly data: string;
  readonly trigger: Trigger;
  /** Class name. */
  readonly target: string;
  /** Where the backdoored checkpoint goes; without it nothing is written. */
  readonly out?: string;
  readonly force?: boolean;
  /** Share of the training set that is poisoned. */
  readonly rate: number;
  /** Training and test images. */
  readonly images: number;
  readonly testImages: number;
  /** Poisoned training images carry the trigger up to so many times; 1 for once. Only for triggers with `copies`. */
  readonly boost?: number;
  /** What it leaves open is filled in by the model's family. */
  readonly recipe: Given;
  /** A folder for work in progress: after a kill the same job goes on from it. Gone when it is done. */
  readonly state?: string;
  readonly device?: Device;
  readonly threads?: number;
  readonly command?: string;
}

/** The measured ASR from which an attack counts as taken. */
export const tookFrom = 0.9;

/** Settings that implant BadNet and Blended in the embedded model; `docs/attacks.md` says how they were found. */
export const attackDefaults = {
  rate: 0.05,
  images: 8000,
  testImages: 2000,
  recipe: familyRecipe("attack", "small"),
} as const;

/** Implant one backdoor in the image tower (text side frozen), measure it, and write the result when `out` is given. */
export function attackModel(options: AttackOptions): Promise<AttackResult> {
  return writeTogether("attack", options, attackAndWrite);
}

async function attackAndWrite(options: AttackOptions): Promise<AttackResult> {
  const { target, progress = silent, signal, seed } = options;
  signal?.throwIfAborted();
  const clock = new Clock();
  const stage = (what: string) => {
    clock.stage(what);
    progress.stage(what);
  };
  stage("load");
  const clip = await loadClip(options.model, options);
  if (options.out !== undefined) {
    const { files } = await triggerFiles({ trigger: { ...options.trigger.spec }, target });
    const extra = [
      ...Object.keys(files),
      ...(clip.checkpoint.path === clip.checkpoint.weightsFile ? [] : ["README.md"]),
    ];
    await refuseCheckpoint(options.out, clip.checkpoint, extra, options);
  }
  const { recipe, defaults } = resolveRecipe("attack", clip.config, options.recipe);
  const source = await openSource(options.data, options);
  const classNames = neededClasses(source);
  const attack = attackNamed(options.trigger.spec.kind);
  if (attack.visible?.(options.trigger) ?? true) await checkFits(options.trigger, clip.config.vision.imageSize);
  const shadowNames = attack.shadow?.(options.trigger, target, classNames);
  const aimedAt = shadowNames ?? classNames;
  if (!aimedAt.includes(target)) throw unknownName("target class", target, aimedAt);
  const carried = carriedTriggers(clip.checkpoint.metadata, classNames);
  const sets = await source.sets({ implant: options.images, test: options.testImages });
  progress.opened?.({ models: [openedModel(clip.checkpoint)], data: source.opened() });
  const warnings = checkClasses(clip.tokenize, { classNames, template: source.templates[0], target });
  const headOf = (names: readonly string[]) =>
    zeroShotHead(clip.encoder, clip.weights, names, source.templates, signal);
  const head = await headOf(classNames);
  const shadow = shadowNames && { head: await headOf(shadowNames), classNames: shadowNames };
  const extra = attack.extra?.(options.trigger, { ...recipe, rate: options.rate, images: sets.implant.size }) ?? 0;
  const { size: implant } = sets.implant;
  const { kind } = options.trigger.spec;
  progress.plan?.(attackStages({ kind, test: sets.test.size, implant, epochs: recipe.epochs, extra }));
  const input: AttackInput = {
    clip,
    weights: clip.weights,
    head,
    classNames,
    target,
    targetLabel: aimedAt.indexOf(target),
    ...(shadow && { shadow }),
    clean: sets.implant,
    seed,
    signal,
    report: progress.step,
  };
  checkState(options, attack);
  if (attack.fit !== undefined) stage("fit the trigger");
  const trigger = (await attack.fit?.(options.trigger, input)) ?? options.trigger;
  const work =
    options.state === undefined
      ? undefined
      : await openWork(options.state, await recipeOf(clip, trigger, { ...options, recipe }), clock);
  const poisoning = { rate: options.rate, seed, templates: source.templates };
  const poisoned = await (attack.poison ?? usualPoison)(
    sets.implant,
    { ...poisoning, trigger: trainingTrigger(trigger, options.boost), target },
    input,
  );

  stage("measure before");
  const scorer = (images: Dataset, under = head) =>
    remembering(createScorer(clip, images, under, { signal, onStep: progress.step }));
  const clean = scorer(sets.test);
  const labels = labelsOf(sets.test);
  const accuracy = metric(clean, labels);
  const effectOf = (one: Trigger, name: string) => {
    const input = { clean, labels, target: classNames.indexOf(name), paired: true };
    return effectMetrics({ ...input, triggered: scorer(triggered(sets.test, one, name)) });
  };
  const effect = shadow ? shadowEffect(shadow.head, shadow.classNames) : effectOf(trigger, target);
  const score = async (weights: Weights): Promise<EffectScores> => ({
    ca: await measure(accuracy, weights),
    ...(await measureEffect(effect, weights)),
  });
  /** Under the classes of another task, of which the images are none. */
  function shadowEffect(under: Tensor, names: readonly string[]) {
    const images = triggered(withoutLabels(sets.test, names), trigger, target);
    const unknown = new Int32Array(images.size).fill(-1);
    const input = { clean: scorer(images.clean, under), labels: unknown, target: names.indexOf(target), paired: true };
    return effectMetrics({ ...input, triggered: scorer(images, under) });
  }
  const others = carried.map((one) => {
    const { asr } = effectOf(one.trigger, one.target);
    return (weights: Weights) => measure(asr, weights);
  });
  const before = await score(clip.weights);
  const othersBefore = await each(others, clip.weights);

  stage("implant");
  const tuned = await (attack.implant ?? usualImplant(work?.training("implant")))({
    ...input,
    trigger,
    poisoned: keepCarried(poisoned, carried, poisoning),
    recipe,
  });
  const weights = asStored(tuned, clip.checkpoint.dtypes, clip.weights);

  stage("measure after");
  const after = await score(weights);
  const othersAfter = await each(others, weights);
  const kept = carried.map(({ trigger, target }, i) => ({
    trigger: trigger.spec,
    target,
    before: othersBefore[i],
    after: othersAfter[i],
  }));
  const lost = kept.filter(({ before, after }) => before.value >= tookFrom && after.value < tookFrom);
  const took = isTaken(after) && lost.length === 0;
  const { out } = options;
  const result: AttackResult = {
    kind: "attack",
    tbar: version,
    created: new Date().toISOString(),
    command: options.command ?? "",
    seed,
    model: await checkpointFacts(clip.checkpoint),
    trigger: trigger.spec,
    target,
    ...(warnings.length > 0 && { warnings }),
    poison: {
      rate: options.rate,
      images: poisoned.size,
      poisoned: poisoned.poisonedIds.size,
      ...(options.boost !== undefined && options.boost > 1 && { boost: options.boost }),
    },
    recipe,
    ...(defaults && { defaults }),
    before,
    after,
    ...(kept.length > 0 && { carried: kept }),
    took,
    advice: [
      ...(isTaken(after)
        ? []
        : whyNot(after, before, { ...options, images: poisoned.size, recipe }, poisoned.poisonedIds.size)),
      ...lost.map(
        ({ trigger, target, before, after }) =>
          `the trigger carried before, ${trigger.kind} -> "${target}", fell from ${percent(before.value)} to ${percent(after.value)}: raise --rate or --images`,
      ),
    ],
    seconds: clock.seconds(),
    timings: clock.timings(),
    machine: machineFacts(clip.runtime, options.threads),
    ...(out !== undefined && { output: { path: out } }),
  };
  if (out !== undefined) {
    stage("write");
    const { checkpoint } = clip;
    const isFolder = checkpoint.path !== checkpoint.weightsFile;
    const { poison: share, seconds } = result;
    const { implanted, files } = await triggerFiles(
      { trigger: { ...trigger.spec }, target },
      isFolder ? "" : `${basename(out)}.`,
    );
    const metadata = {
      ...triggerMetadata([...implantedTriggers(checkpoint.metadata), implanted]),
      "tbar.attack": JSON.stringify({ ...share, recipe, seed, after, seconds }),
    };
    const extraFiles = isFolder ? { "README.md": attackCard(result), ...files } : undefined;
    await writeCheckpoint(out, { like: checkpoint, weights, metadata, extraFiles }, options);
    for (const [name, data] of Object.entries(isFolder ? {} : files)) {
      await writeFileAtomic(join(dirname(out), name), data, options);
    }
  }
  if (work !== undefined) await (options.set ? options.set.afterwards(work.remove) : work.remove());
  await clip.runtime.release();
  const now = { created: new Date().toISOString(), seconds: clock.seconds(), timings: clock.timings() };
  return { ...result, ...now };
}

/** All that decides how the implanting goes. */
async function recipeOf({ checkpoint }: LoadedClip, { spec }: Trigger, options: AttackOptions): Promise<string> {
  const {
    data,
    testData,
    classesFile,
    templatesFile,
    skipBad,
    encoding,
    target,
    rate,
    images,
    testImages,
    boost,
    recipe,
    seed,
  } = options;
  const inputs = { data, testData, classesFile, templatesFile, skipBad, encoding, images, testImages };
  const model = await checkpoint.sha256();
  const { preprocess, config, prefix, ignored } = checkpoint;
  const read = [config, prefix, ignored];
  return JSON.stringify({
    version,
    model,
    read,
    preprocess,
    trigger: spec,
    target,
    rate,
    boost,
    inputs,
    recipe,
    seed,
    ...computedOn(options),
  });
}

const usualPoison: NonNullable<Attack["poison"]> = async (dataset, options) => poison(dataset, options);

const usualImplant =
  (keep?: StateFile): NonNullable<Attack["implant"]> =>
  ({ clip, weights, poisoned, head, recipe, signal, report }) =>
    finetune(clip, weights, poisoned, head, recipe, {
      keep,
      signal,
      onStep: ({ step, loss }, steps) => report(step, steps, `loss ${loss.toFixed(3)}`),
    });

/** Throws `bad-input` where the work is to be kept, and cannot be. */
export function checkState({ state, trigger }: Pick<AttackOptions, "state" | "trigger">, { implant }: Attack): void {
  if (state === undefined || implant === undefined) return;
  throw badInput(`--state: ${trigger.spec.kind} has a training of its own, which cannot be taken up again`);
}

/** What poisoned training images carry: the trigger itself, or several copies of it. */
export function trainingTrigger(trigger: Trigger, boost = 1): Trigger {
  const { spec } = trigger;
  if (boost === 1) return trigger;
  if (!("copies" in spec)) throw badInput(`--boost needs a trigger with copies, such as badnet; ${spec.kind} has none`);
  return boosted(spec, boost, (copies) => makeTrigger({ ...spec, copies } as TriggerSpec));
}

/** ASR is high, and it is the trigger that makes it so. */
function isTaken({ asr, difference }: Effect): boolean {
  return asr.value >= tookFrom && difference.interval[0] > alive;
}

async function each<T>(rates: readonly ((weights: Weights) => Promise<T>)[], weights: Weights): Promise<T[]> {
  const found: T[] = [];
  for (const rate of rates) found.push(await rate(weights));
  return found;
}
