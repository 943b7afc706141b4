/** All of a cleaning without knowledge of the attack that is known before the model has answered anything. */
import type { Dataset } from "../../../data/dataset.ts";
import { ruleNamed } from "../../../defenses/alpha-search.ts";
import type { Defense } from "../../../defenses/defense.ts";
import { defensesNamed, onStandIns, usable } from "../../../defenses/index.ts";
import { resolveRecipe } from "../../../engine/family-recipe.ts";
import type { Recipe } from "../../../engine/finetune.ts";
import { checkBatch } from "../../../engine/tasks.ts";
import { version } from "../../../files/version.ts";
import type { Opened } from "../../../results/opened.ts";
import { badInput, unknownName } from "../../../tensor/error.ts";
import type { Weights } from "../../../tensor/tensor.ts";
import type { Trigger } from "../../../triggers/trigger.ts";
import type { Context } from "../../context.ts";
import { checkClasses } from "../../inputs/classes.ts";
import { openedModel } from "../../inputs/describe-opened.ts";
import { checkChecks, checkModules } from "../../inputs/feasible.ts";
import { implantedTriggers } from "../../inputs/model-facts.ts";
import { controlCheckpoint, openClip } from "../../inputs/open-clip.ts";
import { neededClasses, openSource } from "../../inputs/source.ts";
import { computedOn } from "../../record/facts.ts";
import { calibrationsFor } from "../../scan/calibration.ts";
import { checkEnough, detectorsOf, openBase, type Prepared as Scanning } from "../../scan/prepare.ts";
import { scannedOf } from "../../scan/run.ts";
import { scanSpec } from "../../scan/spec.ts";
import { decisive } from "../../spec.ts";
import { checkVectors, openTraining, present } from "../needs.ts";
import { labelling, type Prepared } from "../prepare.ts";
import { type CleanSpec, cleanSpec } from "../spec.ts";

/** Open model and images, and what a scan of them takes. */
export interface Open extends Omit<Prepared, "threat" | "labels" | "heldOut"> {
  readonly scanning: Scanning;
  readonly drawn: Prepared["drawn"] & Readonly<Record<"fit" | "held", Dataset>>;
}

const { sizes: scanSizes } = scanSpec.parse({ model: "", data: "" });

/** Throws `bad-input` where the spec names what --unknown does without, or cannot do with. */
export async function open(spec: CleanSpec, context: Context): Promise<Open> {
  checkUnknown(spec, context);
  checkRivals(defensesNamed(spec.methods));
  const rule = ruleNamed(spec.rule ?? "agreement", spec.limit);
  checkChecks(rule, spec.checks);
  const clip = await openClip(spec, context);
  const resolved = resolveRecipe("clean", clip.config, { ...spec.recipe, seed: spec.seed });
  checkModules(clip, resolved.recipe, spec.model);
  const source = await openSource(spec.data, spec);
  const classNames = neededClasses(source);
  if (spec.suspect !== undefined && !classNames.includes(spec.suspect))
    throw unknownName("suspected class", spec.suspect, classNames);
  const drawn = await source.sets({ ...scanSizes, ...spec.sizes });
  checkEnough(drawn, source);
  const training = await openTraining(spec.trainingData, spec, classNames);
  const has = present({ clip, clean: drawn.clean, pairs: true, training: training !== undefined });
  const { defenses, leftOut } = usable(methodsOf(spec.methods, has, resolved.recipe), has);
  checkVectors(defenses, resolved.recipe);
  if (resolved.recipe.objective === "contrastive") checkBatch(drawn.forget, resolved.recipe.batch);
  const control = await controlCheckpoint(spec);
  const models = [clip.checkpoint, ...(control ? [control] : [])];
  const opened: Opened = { models: models.map(openedModel), data: source.opened() };
  context.progress.opened?.(opened);
  const warnings = checkClasses(clip.tokenize, { classNames, template: source.templates[0] });
  const base = await openBase(clip, spec, context);
  const scanning: Scanning = {
    clip,
    ...(base && { base }),
    source,
    classNames,
    drawn,
    detectors: detectorsOf({ quick: true, base: spec.base }),
    calibrations: await calibrationsFor(undefined, base !== undefined),
    opened,
    warnings,
  };
  const ready = { ...resolved, defenses, rule, clip, source, classNames, drawn, opened, scanning };
  return { ...ready, ...(training && { training }), warnings: [...warnings, ...leftOut] };
}

/** Where `tbar` is all that is named, what it stands for on triggers that only stand for another. What less than all learns is plain vectors. */
function methodsOf(names: readonly string[], has: ReturnType<typeof present>, { modules }: Recipe): readonly string[] {
  if (names.length === 0 || names.some((name) => name !== "tbar")) return names;
  return has["a transformer"] && modules === undefined
    ? [...onStandIns.vectors, ...onStandIns.beside]
    : onStandIns.vectors;
}

/** On triggers that only stand for another a rival is chosen if it is named alone, or carries over; of several others none is. */
function checkRivals(named: readonly Defense[]): void {
  if (named.length < 2 || named.some(({ control, carriesOver }) => !control || carriesOver)) return;
  const names = named.map(({ name }) => name).join(", ");
  throw badInput(`--unknown with ${names}: a rival is chosen only if named alone; name one, or tbar beside them`);
}

function checkUnknown({ trigger, target, triggerIndex, learned }: CleanSpec, { trigger: own }: Context): void {
  const told = Object.entries({ trigger: trigger ?? own, target, "trigger-index": triggerIndex, learned });
  const wrong = told.find(([, value]) => value !== undefined)?.[0];
  if (wrong === undefined) return;
  throw badInput(
    `--${wrong} says what --unknown does without: leave one of them out; a class that you suspect is named with --suspect`,
  );
}

/** All that the scan and each round follow from; which class is suspected and how many rounds there are at most changes none that has begun. */
export async function recipeOf({ recipe, scanning }: Open, spec: CleanSpec): Promise<string> {
  const { checks, recovery, cleanControl, fullCurve, suspect, rounds, ...asked } = decisive(cleanSpec, spec);
  return JSON.stringify({ version, ...asked, ...(await scannedOf(scanning)), recipe, ...computedOn(spec) });
}

/** The same with a target, a trigger that stands for the attack's own, and the weights of this round. */
export function aim(open: Open, spec: CleanSpec, weights: Weights, target: string, trigger: Trigger): Prepared {
  const { classNames, clip, drawn } = open;
  const targetLabel = classNames.indexOf(target);
  const remaining = implantedTriggers(clip.checkpoint.metadata);
  return {
    ...open,
    clip: { ...clip, weights },
    threat: { target, targetLabel, source: "recovered by a scan", trigger, remaining },
    ...labelling(drawn, classNames, { targetLabel }, spec.seed),
  };
}
