/** The main job: a backdoored checkpoint goes in, a cleaned one and the proof come out. */

import { asSubtracted, flooredVariances } from "../../arithmetic/running-variance.ts";
import { subtract } from "../../arithmetic/task-vector.ts";
import { asStored } from "../../checkpoint/rounding.ts";
import type { Dataset } from "../../data/dataset.ts";
import { defaultRule, type Rule, ruleName, searchAlpha } from "../../defenses/alpha-search.ts";
import { isBetter, type Removal } from "../../defenses/defense.ts";
import { checkMethods, methodNames, methods } from "../../defenses/index.ts";
import { familyRecipe, type Given, resolveRecipe } from "../../engine/family-recipe.ts";
import type { Recipe } from "../../engine/finetune.ts";
import type { Metric } from "../../engine/scorer.ts";
import { writeTogether } from "../../files/output-set.ts";
import { version } from "../../files/version.ts";
import { measure } from "../../metrics/accuracy.ts";
import { type EffectMetrics, measureEffect } from "../../metrics/effect.ts";
import { keptFault, retentionOf } from "../../metrics/retention.ts";
import { imagesSha256, type MeasuredOn, weightsSha256 } from "../../results/measured-on.ts";
import type { AfterScores, CleanResult, EffectScores, Variant } from "../../results/result.ts";
import type { Device } from "../../runtime/onnxruntime.ts";
import { badInput } from "../../tensor/error.ts";
import type { Weights } from "../../tensor/tensor.ts";
import type { Trigger } from "../../triggers/trigger.ts";
import { checkChecks, checkEnoughImages } from "../inputs/feasible.ts";
import type { SourceOptions } from "../inputs/source.ts";
import { cleanStages } from "../progress/stages.ts";
import { openWork } from "../progress/work.ts";
import { Clock, checkpointFacts, computedOn, type JobOptions, machineFacts, silent } from "../record/facts.ts";
import { judge, leastRetention, notFound } from "../record/verdict.ts";
import { type CleanSetup, setUp } from "./clean-setup.ts";
import { defenseInput } from "./defense-input.ts";
import { examplePictures, prove } from "./proof.ts";
import { refuseWithoutBackdoor } from "./refuse-without-backdoor.ts";
import { refuseCleaned, writeCleaned } from "./write-cleaned.ts";

export interface CleanOptions extends JobOptions, SourceOptions {
  readonly model: string;
  readonly data: string;
  /** The trigger, if it is known; else `triggered` images, else the checkpoint's own metadata. */
  readonly trigger?: Trigger;
  readonly triggered?: Dataset;
  /** Which of the metadata's triggers, counted from 1, where there are several. */
  readonly triggerIndex?: number;
  /** Class the trigger leads to; the metadata's own unless told. */
  readonly target?: string;
  readonly out?: string;
  readonly force?: boolean;
  /** Names of `methods`. */
  readonly methods: readonly string[];
  readonly rule: Rule;
  /** What it leaves open is filled in by the model's family. */
  readonly recipe: Given;
  readonly sizes: {
    readonly forget: number;
    readonly clean: number;
    readonly validation: number;
    readonly test: number;
  };
  /** The model before it was backdoored, where there is one: its ASR is the floor. */
  readonly untouched?: string;
  /** Clean training steps after which ASR is measured again; 0 to leave that out. */
  readonly reboundSteps: number;
  /** Test images for each further check (the trigger in other guises, the floor, retrieval, rebound); 0 to leave them out. */
  readonly checks: number;
  /** A folder for work in progress: after a kill the same job goes on from it. Gone when the output is written. */
  readonly state?: string;
  /** Measure CA and ASR on all validation images at this many alphas, for the chosen variant's curve. */
  readonly curvePoints?: number;
  readonly device?: Device;
  readonly threads?: number;
  readonly command?: string;
}

/** Settings tuned on the embedded model with seeds other than those of the reported figures; see docs/tbar.md. */
export const cleanDefaults = {
  methods: ["plain", "anchored", "fisher"],
  rule: defaultRule,
  recipe: familyRecipe("clean", "small"),
  sizes: { forget: 1024, clean: 1024, validation: 560, test: 2000 },
  reboundSteps: 200,
  checks: 1000, // enough to see 2 %
} as const;

/** Remove a backdoor whose trigger is known. The verdict of the result says whether that is verified; only then exit with 0. */
export function cleanModel(options: CleanOptions): Promise<CleanResult> {
  return writeTogether("clean", options, cleanAndWrite);
}

/** With the recipe as it is followed. */
export type CleanJob = CleanOptions & { readonly recipe: Recipe };

async function cleanAndWrite(asked: CleanOptions): Promise<CleanResult> {
  const { progress = silent, out } = asked;
  checkMethods(asked.methods, { clean: asked.sizes.clean, isPaired: asked.triggered === undefined });
  const rule = { ...asked.rule, name: ruleName(asked.rule.name) } as Rule;
  checkChecks(rule, asked.checks);
  const clock = new Clock();
  const stage = (what: string) => {
    clock.stage(what);
    progress.stage(what);
  };
  stage("load");
  const bench = await setUp(asked);
  const { recipe, defaults } = resolveRecipe("clean", bench.clip.config, asked.recipe);
  // in one order, whatever was asked: where two are as good the first is chosen
  const inOrder = methodNames.filter((name) => asked.methods.includes(name));
  const options: CleanJob = { ...asked, rule, recipe, methods: inOrder };
  const { clip, attack } = bench;
  if (out !== undefined) await refuseCleaned(out, clip.checkpoint, options);
  checkEnoughImages(options.rule, {
    validation: { drawn: bench.drawn.validation, usable: attack.validation.size },
    test: { drawn: bench.drawn.test, usable: attack.test.size },
  });
  const work =
    options.state === undefined ? undefined : await openWork(options.state, await recipeOf(bench, options), clock);
  const names = new WeakMap<Weights, string>([[clip.weights, "before"]]);
  const counted = (metric: Metric, what: string) =>
    work?.counted(metric, what, (weights) => names.get(weights)) ?? metric;
  const score = scoring(bench, counted);
  const stillRight = counted(bench.stillRight(bench.test), "right before and after on test");

  progress.plan?.(stagesOf(options, bench));
  stage("measure before");
  const folder = options.triggered && (await bench.ordinary(options.triggered));
  const warnings = [...bench.warnings, ...(folder?.warnings ?? [])];
  const clean = counted(bench.cleanMetric(bench.validation), "CA on validation");
  const seen = await measure(clean, clip.weights);
  const caBefore = seen.value;
  const effect = countedEffect(bench.effect("validation"), "validation", counted);
  const triggered = effect.asr;
  const knows = { ca: seen, chance: await bench.chance(), isOrdinary: folder?.isOrdinary };
  await refuseWithoutBackdoor(effect, clip.weights, { ...knows, rule: options.rule, target: bench.target });
  const before = await score(clip.weights);

  const taus: Weights[] = [];
  const at = (tau: Weights) => (alpha: number) => {
    const weights = stored(bench, subtract(clip.weights, tau, alpha));
    if (taus.includes(tau)) names.set(weights, `alpha ${alpha} of vector ${taus.indexOf(tau) + 1}`);
    return weights;
  };
  let method = "";
  const input = defenseInput(bench, options, work, async (tau, start) => {
    taus.push(tau);
    stage(`${method}: alpha`);
    const verify = { images: attack.test.size, retention: leastRetention };
    const search = await searchAlpha({ at: at(tau), clean, triggered, verify, caBefore, start, rule: options.rule });
    stage(method);
    return search;
  });
  const removals = new Map<string, Removal>();
  const variants = new Map<string, Variant>();
  const afters = new Map<string, AfterScores>();
  for (const name of options.methods) {
    method = name;
    stage(name);
    const since = clock.seconds();
    const removal = await methods[name].run(input);
    removals.set(name, removal);
    stage(`${name}: test`);
    const weights = at(removal.tau)(removal.search.best.alpha);
    const after = { ...(await score(weights)), stillRight: await measure(stillRight, weights) };
    const curve = options.curvePoints ? await curveOf(removal, options.curvePoints, at, clean, triggered) : [];
    afters.set(name, after);
    variants.set(name, variantOf(name, removal, curve, before, after, clock.seconds() - since));
  }
  const chosen = choose(removals);
  method = chosen?.[0] ?? options.methods[0];
  const variant = variants.get(method) as Variant;
  const after = afters.get(method) as AfterScores;
  const kept = { retention: variant.retention, retentionInterval: variant.retentionInterval };
  const shared = {
    kind: "clean" as const,
    tbar: version,
    command: options.command ?? "",
    seed: options.seed,
    model: await checkpointFacts(clip.checkpoint),
    trigger: triggerFacts(bench),
    target: bench.target,
    ...(bench.remaining.length > 0 && {
      remaining: bench.remaining.map(({ trigger, target }) => ({ kind: trigger.kind, target })),
    }),
    data: {
      name: bench.dataName,
      forget: attack.forget.size,
      clean: bench.clean.size,
      validation: bench.validation.size,
      test: bench.test.size,
      testTriggered: attack.test.size,
      skipped: bench.skipped,
      labels: bench.labels,
    },
    opened: bench.opened,
    inputs: inputsOf(options),
    ...(warnings.length > 0 && { warnings }),
    recipe,
    ...(defaults && { defaults }),
    variants: Object.fromEntries([...variants].map(([name, v]) => [name, { ...v, chosen: name === chosen?.[0] }])),
    before,
    method,
    alpha: variant.alpha,
  };
  const finish = () => ({
    created: new Date().toISOString(),
    seconds: clock.seconds(),
    timings: clock.timings(),
    machine: machineFacts(clip.runtime, options.threads),
  });
  if (chosen === undefined) {
    return {
      ...shared,
      after,
      ...kept,
      proof: { shifted: [] },
      verdict: notFound(options.rule),
      examples: [],
      ...finish(),
    };
  }

  const { tau, search } = chosen[1];
  const { alpha } = search.best;
  const weights = at(tau)(alpha);
  const floored = flooredVariances(clip.weights, weights);
  stage("prove");
  const proof = await prove(bench, options, weights);
  const examples = await examplePictures(bench, weights);
  const verdict = judge(before, after, options.rule, search.doubts);
  const measured = { ...shared, ...(floored > 0 && { floored }) };
  if (out === undefined) {
    return {
      ...measured,
      after,
      ...kept,
      proof,
      verdict,
      ...examples,
      ...finish(),
    };
  }
  stage("write");
  const { preprocess } = clip;
  const measuredOn: MeasuredOn = {
    weights: weightsSha256(weights),
    test: await imagesSha256(bench.test, preprocess),
    triggered: await imagesSha256(attack.test, preprocess),
  };
  const evidence = { measuredOn, rule: options.rule };
  const receipt = {
    ...measured,
    ...evidence,
    variants: undefined,
    after,
    ...kept,
    proof,
    verdict,
    created: new Date().toISOString(),
    seconds: clock.seconds(),
  };
  const written = await writeCleaned({
    bench,
    weights,
    tau: asSubtracted(tau, clip.weights, weights, alpha),
    alpha,
    receipt,
    out,
    options,
  });
  if (work !== undefined) options.set?.afterwards(work.remove);
  return {
    ...measured,
    ...evidence,
    after, // the file as it is on disk: it was read back bit for bit
    ...kept,
    proof: { ...proof, restore: written.restore },
    verdict,
    output: { path: out, sha256: written.sha256 },
    ...examples,
    ...finish(),
  };
}

function stagesOf({ methods, recipe, checks, reboundSteps, curvePoints = 0, untouched }: CleanJob, bench: CleanSetup) {
  const { attack, clean, validation, test } = bench;
  return cleanStages({
    methods,
    forget: attack.forget.size,
    clean: clean.size,
    validation: validation.size,
    test: test.size,
    epochs: recipe.epochs,
    checks,
    reboundSteps: bench.labels === "given" ? reboundSteps : 0,
    curvePoints,
    hasUntouched: untouched !== undefined,
  });
}

/** The options that decide which images are drawn. */
function inputsOf(options: CleanOptions): CleanResult["inputs"] {
  const { data, testData, validationData, classesFile, templatesFile, skipBad, encoding, sizes } = options;
  return { data, testData, validationData, classesFile, templatesFile, skipBad, encoding, sizes: { ...sizes } };
}

/** All that decides what is trained and counted. */
async function recipeOf(bench: CleanSetup, options: CleanJob): Promise<string> {
  const { methods, recipe, seed } = options;
  const model = await bench.clip.checkpoint.sha256();
  const attack = [triggerFacts(bench), bench.target, bench.attack.forget.size];
  const { preprocess, config, checkpoint } = bench.clip;
  const read = [config, checkpoint.prefix, checkpoint.ignored];
  return JSON.stringify({
    version,
    model,
    read,
    preprocess,
    attack,
    inputs: inputsOf(options),
    methods,
    recipe,
    seed,
    ...computedOn(options),
  });
}

/** CA and ASR on the test set. */
function scoring(
  bench: CleanSetup,
  counted: (metric: Metric, what: string) => Metric,
): (weights: Weights) => Promise<EffectScores> {
  const ca = counted(bench.cleanMetric(bench.test), "CA on test");
  const effect = countedEffect(bench.effect("test"), "test", counted);
  return async (weights) => ({ ca: await measure(ca, weights), ...(await measureEffect(effect, weights)) });
}

function countedEffect(
  { asr, withoutTrigger, both, right }: EffectMetrics,
  part: string,
  counted: (metric: Metric, what: string) => Metric,
): EffectMetrics {
  return {
    asr: counted(asr, `ASR on ${part}`),
    withoutTrigger: counted(withoutTrigger, `target without trigger on ${part}`),
    both: both && counted(both, `target with and without trigger on ${part}`),
    right: right && counted(right, `own label with trigger on ${part}`),
  };
}

/** Half precision can undo a small vector: all that is measured is what the file will hold. */
function stored({ clip }: CleanSetup, weights: Weights): Weights {
  return asStored(weights, clip.checkpoint.dtypes, clip.weights);
}

/** CA and ASR on all validation images along alpha, from 0 to twice the best. */
async function curveOf(
  { tau, search }: Removal,
  points: number,
  at: (tau: Weights) => (alpha: number) => Weights,
  clean: Metric,
  triggered: Metric,
): Promise<Variant["trials"]> {
  const trials: Variant["trials"][number][] = [];
  for (let k = 0; k < points; k++) {
    const alpha = (2 * search.best.alpha * k) / (points - 1);
    const weights = at(tau)(alpha);
    trials.push({ alpha, ca: await measure(clean, weights), asr: await measure(triggered, weights) });
  }
  return trials;
}

function variantOf(
  name: string,
  { search, settings }: Removal,
  curve: Variant["trials"],
  before: EffectScores,
  after: AfterScores,
  seconds: number,
): Variant {
  const { best, satisfied, trials, doubts } = search;
  const { ca, asr, triggeredAccuracy, stillRight } = after;
  const kept = { before: before.ca, after: ca, stillRight };
  const fault = keptFault(kept);
  if (fault !== undefined)
    throw badInput(`counts contradict each other: ${fault}; if they are from a folder of --state, remove it`);
  const { value, interval } = retentionOf(kept);
  return {
    after: { ca, asr, ...(triggeredAccuracy && { triggeredAccuracy }), ...(stillRight && { stillRight }) },
    retention: value,
    retentionInterval: interval,
    alpha: best.alpha,
    seconds,
    chosen: false,
    control: methods[name].control === true,
    validation: { ca: best.ca, asr: best.asr },
    satisfied,
    ...(doubts && { doubts }),
    trials: [...trials, ...curve].sort((a, b) => a.alpha - b.alpha),
    settings,
  };
}

/** The removal that validation prefers, controls left out; none when none satisfies the rule. */
function choose(removals: ReadonlyMap<string, Removal>): [string, Removal] | undefined {
  const candidates = [...removals].filter(([name, { search }]) => !methods[name].control && search.satisfied);
  if (candidates.length === 0) return undefined;
  return candidates.reduce((a, b) => (isBetter(b[1].search, a[1].search) ? b : a));
}

function triggerFacts({ trigger, triggerSource }: CleanSetup): CleanResult["trigger"] {
  return { kind: trigger?.spec.kind ?? "images", spec: { ...trigger?.spec }, source: triggerSource };
}
