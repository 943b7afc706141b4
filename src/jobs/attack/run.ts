/** Implanting a backdoor and checking that it succeeded: poison a training set, fine-tune, measure, write a checkpoint that says so. */
import type { Attack, AttackInput } from "../../attacks/attack.ts";
import { asStored } from "../../checkpoint/rounding.ts";
import { finetune } from "../../engine/finetune.ts";
import { usualTask } from "../../engine/tasks.ts";
import type { StateFile } from "../../engine/training-state.ts";
import { version } from "../../files/version.ts";
import type { AttackResult } from "../../results/attack.ts";
import { made } from "../../results/base.ts";
import { percent } from "../../stats/percent.ts";
import { poison } from "../../triggers/poison.ts";
import type { Trigger } from "../../triggers/trigger.ts";
import type { Context } from "../context.ts";
import { keepCarried } from "../inputs/carried.ts";
import { headsOf } from "../inputs/heads.ts";
import { attackStages } from "../progress/stages.ts";
import { openWork } from "../progress/work.ts";
import { Clock, checkpointFacts, computedOn, readAs } from "../record/facts.ts";
import { decisive } from "../spec.ts";
import { whyNot } from "./advice.ts";
import { hasSucceeded, type Measured, measuring, succeededFrom } from "./measure.ts";
import { type Prepared, prepare, trainingTrigger } from "./prepare.ts";
import { type AttackSpec, attackSpec } from "./spec.ts";
import { refuseAttacked, writeAttacked } from "./write.ts";

/** Implant one backdoor in the image tower (by contrast in both, unless told), measure it, and write the result when `out` is given. */
export async function attack(spec: AttackSpec, context: Context): Promise<AttackResult> {
  const { target, rate, boost, seed, out, state } = spec;
  const { progress, signal, set } = context;
  const writing = { force: spec.force, set };
  const clock = new Clock(progress);
  clock.stage("load");
  const ready = await prepare(spec, context);
  const { clip, attack, source, classNames, shadowNames, recipe, defaults, warnings, carried, implant, test } = ready;
  const implanted = { trigger: { ...ready.trigger.spec }, target };
  if (out !== undefined) await refuseAttacked(out, clip.checkpoint, implanted, writing);
  const headsFor = (names: readonly string[]) =>
    headsOf(clip, { classNames: names, templates: source.templates }, recipe, signal);
  const heads = await headsFor(classNames);
  const head = heads.frozen;
  const shadowHeads = shadowNames && (await headsFor(shadowNames));
  const shadow = shadowHeads && { head: shadowHeads.frozen, classNames: shadowNames };
  progress.plan?.(attackStages({ test: test.size, implant: implant.size, epochs: recipe.epochs, extra: ready.extra }));
  const input: AttackInput = {
    clip,
    weights: clip.weights,
    head,
    classNames,
    target,
    targetLabel: ready.targetLabel,
    ...(shadow && { shadow }),
    clean: implant,
    seed,
    signal,
    report: progress.step,
  };
  if (attack.fit !== undefined) clock.stage("fit the trigger");
  const trigger = (await attack.fit?.(ready.trigger, input)) ?? ready.trigger;
  const work = state === undefined ? undefined : await openWork(state, await recipeOf(ready, trigger, spec), clock);
  const poisoning = { rate, seed, templates: source.templates };
  const asked = { ...poisoning, trigger: trainingTrigger(trigger, boost), target };
  const poisoned = await (attack.poison ?? usualPoison)(implant, asked, input);
  const scored = (of: "frozen" | "asked") =>
    measuring(
      ready,
      { head: heads[of], shadow: shadow && { ...shadow, head: shadowHeads[of] } },
      { trigger, target },
      context,
    );
  const score = scored("asked");

  clock.stage("measure before");
  const before = await score(clip.weights);
  clock.stage("implant");
  const tuned = await (attack.implant ?? usualImplant(work?.training("implant")))({
    ...input,
    trigger,
    poisoned: keepCarried(poisoned, carried, poisoning),
    recipe,
  });
  const weights = asStored(tuned, clip.checkpoint.dtypes, clip.weights);
  clock.stage("measure after");
  const after = await score(weights);
  const frozen = heads.asked === head ? undefined : await scored("frozen")(weights);

  const kept = carried.map((one, i) => ({
    trigger: one.trigger.spec,
    target: one.target,
    before: before.carried[i],
    after: after.carried[i],
  }));
  const lost = kept.filter(({ before, after }) => before.value >= succeededFrom && after.value < succeededFrom);
  const succeeded = hasSucceeded(after) && lost.length === 0;
  const counts = { rate, images: poisoned.size, poisoned: poisoned.poisonedIds.size };
  const result: AttackResult = {
    ...made("attack", 2, context.command),
    seed,
    model: await checkpointFacts(clip.checkpoint),
    trigger: trigger.spec,
    target,
    ...(warnings.length > 0 && { warnings }),
    poison: { ...counts, ...(boost > 1 && { boost }) },
    recipe,
    ...(defaults && { defaults }),
    before: scoresOf(before),
    after: scoresOf(after),
    ...(frozen && { frozenHead: { ca: frozen.ca, asr: frozen.asr } }),
    ...(kept.length > 0 && { carried: kept }),
    succeeded,
    took: succeeded,
    advice: [
      ...(hasSucceeded(after) ? [] : whyNot(after, before, { trigger, recipe, boost, ...counts })),
      ...lost.map(
        ({ trigger, target, before, after }) =>
          `the trigger carried before, ${trigger.kind} -> "${target}", fell from ${percent(before.value)} to ${percent(after.value)}: raise --rate or --images`,
      ),
    ],
    ...clock.facts(clip.runtime, spec.threads),
    ...(out !== undefined && { output: { path: out } }),
  };
  if (out !== undefined) {
    clock.stage("write");
    await writeAttacked(out, clip.checkpoint, weights, result, writing);
  }
  if (work !== undefined) await (set ? set.afterwards(work.remove) : work.remove());
  return { ...result, created: new Date().toISOString(), seconds: clock.seconds(), timings: clock.timings() };
}

const scoresOf = ({ carried: _, ...scores }: Measured) => scores;

/** All that decides how the implanting goes. */
async function recipeOf({ clip, recipe }: Prepared, { spec: trigger }: Trigger, spec: AttackSpec): Promise<string> {
  const asked = decisive(attackSpec, spec);
  return JSON.stringify({ version, ...asked, ...(await readAs(clip)), trigger, recipe, ...computedOn(spec) });
}

const usualPoison: NonNullable<Attack["poison"]> = async (dataset, options) => poison(dataset, options);

const usualImplant =
  (keep?: StateFile): NonNullable<Attack["implant"]> =>
  ({ clip, weights, poisoned, head, recipe, signal, report }) =>
    finetune(clip, weights, usualTask(clip, poisoned, head, recipe), recipe, {
      keep,
      signal,
      onStep: ({ step, loss }, steps) => report(step, steps, `loss ${loss.toFixed(3)}`),
    });
