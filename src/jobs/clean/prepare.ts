/** All of a cleaning that is known before the model has answered anything: what --dry-run refuses is what the cleaning refuses. */
import type { Dataset } from "../../data/dataset.ts";
import { defaultRule, isForStandIns, type Rule, ruleNamed } from "../../defenses/alpha-search.ts";
import type { Defense } from "../../defenses/defense.ts";
import { defensesNamed, usable } from "../../defenses/index.ts";
import type { LoadedClip } from "../../engine/clip.ts";
import { type Resolved, resolveRecipe } from "../../engine/family-recipe.ts";
import { checkBatch } from "../../engine/tasks.ts";
import type { Opened } from "../../results/opened.ts";
import { badInput } from "../../tensor/error.ts";
import { random } from "../../tensor/random.ts";
import type { Weights } from "../../tensor/tensor.ts";
import type { Context } from "../context.ts";
import { checkClasses } from "../inputs/classes.ts";
import { openedData, openedModel } from "../inputs/describe-opened.ts";
import { checkChecks, checkEnoughImages, checkFits, checkModules } from "../inputs/feasible.ts";
import { controlCheckpoint, openClip } from "../inputs/open-clip.ts";
import { neededClasses, openSource, type Source } from "../inputs/source.ts";
import { stepWork } from "../progress/tower-work.ts";
import { learnedWeights } from "./learned.ts";
import { checkVectors, openTraining, present } from "./needs.ts";
import type { CleanSpec } from "./spec.ts";
import { cleanStages } from "./stages.ts";
import { aimedAt, folderSizes, resolveThreat, type Threat, toldTrigger } from "./threat.ts";

type Sets = Readonly<Record<keyof CleanSpec["sizes"], Dataset>>;

export interface Prepared extends Resolved {
  readonly defenses: readonly Defense[];
  /** Names of those that run only where the ones before them do not suffice. */
  readonly spare?: readonly string[];
  readonly rule: Rule;
  readonly clip: LoadedClip;
  readonly source: Source;
  readonly classNames: readonly string[];
  readonly threat: Threat;
  /** As drawn: sets that share no image. */
  readonly drawn: Sets;
  /** Whether CA means accuracy, or agreement with the model before. */
  readonly labels: "given" | "agreement";
  /** What the model was trained on, where the user brought it. */
  readonly training?: Dataset;
  /** What fine-tuning on the forget set gives, where that is known. */
  readonly learned?: Weights;
  /** Labels of classes that cleaning never sees. */
  readonly heldOut: ReadonlySet<number>;
  readonly opened: Opened;
  readonly warnings: readonly string[];
}

/** Options that say something to --unknown alone. */
const ofUnknown = ["suspect", "base"] as const;

export async function prepare(spec: CleanSpec, context: Context): Promise<Prepared> {
  const idle = ofUnknown.find((name) => spec[name] !== undefined);
  if (idle !== undefined)
    throw badInput(`--${idle} goes with --unknown, where nothing is told of the attack; here the trigger is known`);
  defensesNamed(spec.methods);
  const rule = ruleNamed(spec.rule ?? defaultRule.name, spec.limit);
  checkChecks(rule, spec.checks);
  const told = await toldTrigger(spec, context);
  const clip = await openClip(spec, context);
  const resolved = resolveRecipe("clean", clip.config, { ...spec.recipe, seed: spec.seed });
  checkModules(clip, resolved.recipe, spec.model);
  const known = resolveThreat(spec, told, clip.checkpoint.metadata);
  const source = await openSource(spec.data, spec);
  const classNames = neededClasses(source);
  await checkFits(known.trigger, clip.config.vision.imageSize);
  const threat = aimedAt(known, classNames);
  const drawn = await source.sets(spec.sizes);
  const training = await openTraining(spec.trainingData, spec, classNames);
  const pairs = known.triggered === undefined;
  const isStoodFor = pairs && drawn.clean.size > 0;
  const has = present({ clip, clean: drawn.clean, pairs, training: training !== undefined || isStoodFor });
  const { defenses, leftOut, spare } = usable(spec.methods, has);
  checkVectors(defenses, resolved.recipe);
  if (resolved.recipe.objective === "contrastive") checkBatch(threat.triggered ?? drawn.forget, resolved.recipe.batch);
  const learned = await learnedWeights(clip, spec);
  const control = await controlCheckpoint(spec);
  const opened: Opened = {
    models: [clip.checkpoint, ...(control ? [control] : [])].map(openedModel),
    data: { ...source.opened(), ...(threat.triggered && { triggered: openedData(threat.triggered) }) },
  };
  context.progress.opened?.(opened);
  const warnings = checkClasses(clip.tokenize, { classNames, template: source.templates[0], target: threat.target });
  const ready: Prepared = {
    ...resolved,
    defenses,
    spare,
    rule,
    clip,
    source,
    classNames,
    threat,
    drawn,
    ...labelling(drawn, classNames, threat, spec.seed),
    ...(training && { training }),
    ...(learned && { learned }),
    opened,
    warnings: [...warnings, ...leftOut],
  };
  checkSets(ready);
  return ready;
}

/** Do the images have labels, and which are kept from cleaning? */
export function labelling(
  drawn: Sets,
  classNames: readonly string[],
  { targetLabel }: Pick<Threat, "targetLabel">,
  seed: number,
): Pick<Prepared, "labels" | "heldOut"> {
  const isLabelled = Object.values(drawn).every((set) => set.size === 0 || set.example(0).label !== undefined);
  return isLabelled
    ? { labels: "given", heldOut: heldOutClasses(classNames, targetLabel, seed) }
    : { labels: "agreement", heldOut: new Set() };
}

/**
 * One class in ten is kept from cleaning, so that its accuracy afterwards tells what cleaning did to all that it never saw. Without
 * labels there are no classes to keep.
 */
const heldOutShare = 0.1;

/** Labels of the classes that are kept from a cleaning; the target's is none of them. */
function heldOutClasses(classNames: readonly string[], target: number, seed: number): ReadonlySet<number> {
  const count = Math.floor(heldOutShare * classNames.length);
  const others = classNames.map((_, label) => label).filter((label) => label !== target);
  return new Set(random(seed, "held-out classes").shuffle(others).slice(0, count));
}

/** Throws where the sets are too small to decide; of images without labels that shows only when the model has answered. */
function checkSets({ rule, threat, drawn, labels, heldOut }: Prepared): void {
  const usable = (set: Dataset, without: ReadonlySet<number>) => {
    const all = Array.from({ length: set.size }, (_, i) => set.example(i).label as number);
    return { drawn: set.size, usable: all.filter((one) => one !== threat.targetLabel && !without.has(one)).length };
  };
  if (threat.triggered !== undefined) {
    const { validation } = folderSizes(threat.triggered.size);
    const part = { drawn: validation, usable: validation, folder: threat.triggered.size };
    checkEnoughImages(rule, { validation: part, test: part });
  } else if (labels === "given") {
    checkEnoughImages(rule, { validation: usable(drawn.validation, heldOut), test: usable(drawn.test, new Set()) });
  }
}

/** Share of triggered images in a set that stands for the one the model was trained on. */
export const standInRate = 0.1;

/** Alphas along the whole curve, where it is asked for. */
export const curvePoints = 24;

/** Images of the set that the model was trained on, or of what stands for it. */
export const trainingSize = ({ training }: Pick<Prepared, "training">, { clean }: CleanSpec["sizes"]): number =>
  training?.size ?? Math.round(clean / (1 - standInRate));

/** The stages of a cleaning with these many images to forget, validate and test on. */
export function stagesOf(spec: CleanSpec, ready: Prepared, sizes: CleanSpec["sizes"]) {
  const { defenses, spare = [], recipe, labels, learned, clip, rule } = ready;
  return cleanStages({
    ...sizes,
    training: trainingSize(ready, sizes),
    defenses: defenses.filter(({ name }) => !spare.includes(name)), // those that run whatever the others come to
    epochs: recipe.epochs,
    learned: learned !== undefined,
    onStandIns: isForStandIns(rule),
    step: stepWork(clip.config, recipe.modules),
    checks: spec.checks,
    recoverySteps: labels === "given" ? spec.recovery : 0,
    curvePoints: spec.fullCurve ? curvePoints : 0,
    hasControl: spec.cleanControl !== undefined,
  });
}
