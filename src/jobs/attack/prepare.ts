/** All of an attack that is known before a pixel is read or a step trained: what --dry-run refuses is what the attack refuses. */
import type { Attack } from "../../attacks/attack.ts";
import { attackNamed, attacks, makeTrigger } from "../../attacks/index.ts";
import type { Dataset } from "../../data/dataset.ts";
import { withCaptions } from "../../data/relabel.ts";
import type { LoadedClip } from "../../engine/clip.ts";
import { type Resolved, resolveRecipe } from "../../engine/family-recipe.ts";
import { labelsOf } from "../../metrics/accuracy.ts";
import { badInput, unknownName } from "../../tensor/error.ts";
import { poison, triggered } from "../../triggers/poison.ts";
import { boosted, type Trigger, type TriggerSpec } from "../../triggers/trigger.ts";
import type { Context } from "../context.ts";
import { type Carried, carriedTriggers } from "../inputs/carried.ts";
import { checkClasses } from "../inputs/classes.ts";
import { openedModel } from "../inputs/describe-opened.ts";
import { checkFits, checkPairs } from "../inputs/feasible.ts";
import { openClip } from "../inputs/open-clip.ts";
import { readTrigger } from "../inputs/read-trigger.ts";
import { neededClasses, openSource, type Source } from "../inputs/source.ts";
import type { AttackSpec } from "./spec.ts";

export interface Prepared extends Resolved {
  readonly clip: LoadedClip;
  readonly source: Source;
  readonly classNames: readonly string[];
  readonly attack: Attack;
  readonly trigger: Trigger;
  /** Classes of another task, of which the attacker knows the target's name alone. */
  readonly shadowNames?: readonly string[];
  /** Among the shadow classes where there are some. */
  readonly targetLabel: number;
  /** Triggers of earlier attacks. */
  readonly carried: readonly Carried[];
  readonly implant: Dataset;
  readonly test: Dataset;
  /** Images that the attack trains on besides. */
  readonly extra: number;
  readonly warnings: readonly string[];
}

export async function prepare(spec: AttackSpec, context: Context): Promise<Prepared> {
  const { target, rate, seed, boost, images, testImages } = spec;
  const trigger = context.trigger ?? (await askedTrigger(spec.trigger));
  const clip = await openClip(spec, context);
  const resolved = resolveRecipe("attack", clip.config, { ...spec.recipe, seed });
  const source = await openSource(spec.data, spec);
  const classNames = neededClasses(source);
  const attack = attackNamed(trigger.spec.kind);
  if (attack.visible?.(trigger) ?? true) await checkFits(trigger, clip.config.vision.imageSize);
  const shadowNames = attack.shadow?.(trigger, target, classNames);
  const aimedAt = shadowNames ?? classNames;
  if (!aimedAt.includes(target)) throw unknownName("target class", target, aimedAt);
  const carried = carriedTriggers(clip.checkpoint.metadata, classNames);
  const { implant: drawn, test } = await source.sets({ implant: images, test: testImages });
  const isOfPairs = resolved.recipe.objective === "contrastive";
  const implant = isOfPairs ? withCaptions(drawn, source.templates, seed) : drawn;
  context.progress.opened?.({ models: [openedModel(clip.checkpoint)], data: source.opened() });
  const warnings = checkClasses(clip.tokenize, { classNames, template: source.templates[0], target });
  checkState(spec, attack);
  if (isOfPairs) checkContrast(attack, implant, resolved.recipe);
  const training = trainingTrigger(trigger, boost);
  if (attack.poison === undefined) poison(implant, { trigger: training, target, rate, seed });
  labelsOf(test);
  if (shadowNames === undefined) triggered(test, trigger, target);
  const extra = attack.extra?.(trigger, { ...resolved.recipe, rate, images: implant.size }) ?? 0;
  return {
    ...resolved,
    clip,
    source,
    classNames,
    attack,
    trigger,
    shadowNames,
    targetLabel: aimedAt.indexOf(target),
    carried,
    implant,
    test,
    extra,
    warnings,
  };
}

async function askedTrigger(asked: string | TriggerSpec): Promise<Trigger> {
  const { trigger } = await readTrigger(asked);
  if (trigger === undefined) throw badInput(`${asked} is a folder; an attack needs a trigger it can draw`);
  return trigger;
}

/** Throws `bad-input` where the work is to be kept, and cannot be. */
function checkState({ state }: AttackSpec, { name, implant }: Attack): void {
  if (state === undefined || implant === undefined) return;
  throw badInput(`--state: ${name} has a training of its own, which cannot be taken up again`);
}

/** Throws `bad-input` where the attack learns from labels alone, or a batch of pairs cannot be filled. */
function checkContrast({ name, implant, contrastive }: Attack, images: Dataset, recipe: Resolved["recipe"]): void {
  if (implant !== undefined && !contrastive)
    throw badInput(
      `--objective contrastive: ${name} has a training of its own, which is of labels; leave the option out, or take one of ${byPairs.join(", ")}`,
    );
  checkPairs(images, recipe);
}

const byPairs = attacks
  .filter(({ implant, contrastive }) => implant === undefined || contrastive)
  .map(({ name }) => name);

/** What poisoned training images carry: the trigger itself, or several copies of it. */
export function trainingTrigger(trigger: Trigger, boost: number): Trigger {
  const { spec } = trigger;
  if (boost === 1) return trigger;
  if (!("copies" in spec)) throw badInput(`--boost needs a trigger with copies, such as badnet; ${spec.kind} has none`);
  return boosted(spec, boost, (copies) => makeTrigger({ ...spec, copies } as TriggerSpec));
}
