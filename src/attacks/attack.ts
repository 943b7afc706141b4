/**
 * The contract of every attack: options in, a trigger out. An attack that is more than a trigger and wrong labels brings stages
 * of its own. Options are checked here, once, and then trusted.
 */
import { z } from "zod";
import type { Dataset } from "../data/dataset.ts";
import type { Clip } from "../engine/clip.ts";
import type { Recipe, Watch } from "../engine/finetune.ts";
import { badInput, type TbarError, unknownName } from "../tensor/error.ts";
import type { Tensor, Weights } from "../tensor/tensor.ts";
import type { PoisonedDataset, PoisonOptions } from "../triggers/poison.ts";
import { type Stamp, stampTrigger, type Trigger, type TriggerSpec } from "../triggers/trigger.ts";

/** Options, wholly or in part, to a trigger. Unknown options and values out of range are TbarErrors. */
export type MakeTrigger = (options?: Record<string, unknown>) => Trigger;

/** An attack as the list of them sees it: what help, docs and reports say of it, and its stages. Stages that are absent are the usual ones. */
export interface Attack<Spec extends z.ZodObject = z.ZodObject> {
  /** As people type it. */
  readonly name: string;
  /** As its paper spells it. */
  readonly title: string;
  /** What its trigger is, in a few words. */
  readonly about: string;
  /** Its options, in the words of a help page. */
  readonly options: string;
  readonly paper?: string;
  /** Its options as a schema: with defaults, ranges and types. */
  readonly spec: Spec;
  readonly trigger: MakeTrigger;
  /**
   * For an attack on another task than the data's, of which the attacker knows the target's name alone: the classes that stand
   * for that task's, the target among them. Undefined for an attack on the data's own task. Throws TbarError when the target
   * says otherwise.
   */
  readonly shadow?: (trigger: Trigger, target: string, classNames: readonly string[]) => readonly string[] | undefined;
  /** Fits the trigger to the model before anything is poisoned; what was found is part of the spec that comes back. */
  readonly fit?: (trigger: Trigger, input: AttackInput) => Promise<Trigger>;
  /** Whether there are pixels to see before `fit`. Absent: there are, if only those that the fitting starts from. */
  readonly visible?: (trigger: Trigger) => boolean;
  /** Images that go through the model, there and back, beside those of the usual fine-tuning: what --dry-run estimates with. */
  readonly extra?: (trigger: Trigger, training: Training) => number;
  /** Usual: `poison` of data/poison.ts, a share of the images triggered and labelled as the target. */
  readonly poison?: (dataset: Dataset, options: PoisonOptions, input: AttackInput) => Promise<PoisonedDataset>;
  /** Can its own `implant` learn from pairs by contrast too? The usual one can. */
  readonly contrastive?: true;
  /** Usual: `finetune` of engine/finetune.ts on the poisoned set. */
  readonly implant?: (input: ImplantInput) => Promise<Weights>;
}

/** An attack with the type of its options. */
export const describe = <Spec extends z.ZodObject>(attack: Attack<Spec>): Attack<Spec> => attack;

/** A training that is told of and can be stopped. */
export const watched = ({ signal, report }: Pick<AttackInput, "signal" | "report">): Watch => ({
  signal,
  onStep: ({ step, loss }, steps) => report(step, steps, `loss ${loss.toFixed(3)}`),
});

/** The usual fine-tuning: so many images, a share of them poisoned. */
export interface Training {
  readonly images: number;
  readonly rate: number;
  readonly epochs: number;
  readonly batch: number;
}

export const stepsOf = ({ images, epochs, batch }: Training): number => epochs * Math.ceil(images / batch);

/** What the attacker has: the model, a frozen zero-shot head [C, E] and clean labelled images. */
export interface AttackInput {
  readonly clip: Clip;
  readonly weights: Weights;
  readonly head: Tensor;
  readonly classNames: readonly string[];
  readonly target: string;
  /** Among the shadow classes where there are some. */
  readonly targetLabel: number;
  /** Head [C, E] of the shadow classes. */
  readonly shadow?: { readonly head: Tensor; readonly classNames: readonly string[] };
  readonly clean: Dataset;
  readonly seed: number;
  readonly signal?: AbortSignal;
  readonly report: (step: number, steps: number, note?: string) => void;
}

export interface ImplantInput extends AttackInput {
  readonly trigger: Trigger;
  readonly poisoned: PoisonedDataset;
  readonly recipe: Recipe;
}

/** The options that every trigger has (see `TriggerSpec`), to be extended with an attack's own. */
export function triggerSchema<Kind extends string>(kind: Kind) {
  return z.strictObject({
    kind: z.literal(kind).default(kind as never),
    seed: z.int().default(0),
    quantise: z.boolean().default(false),
    shift: z.number().min(0).lt(1).default(0),
    scale: z.number().min(1).default(1),
    strength: z.number().gt(0).max(1).default(1),
  });
}

/** A number in (0, 1]. */
export const share = z.number().gt(0).max(1);

/** Options -> a complete spec, defaults filled in. */
export function parseSpec<S extends z.ZodObject>(attack: string, schema: S, options: unknown): z.output<S> {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  throw explain(attack, Object.keys(schema.shape), parsed.error.issues[0], options);
}

/** Triggers by a schema of options and a stamp for images of S x S, which is prepared once for each size. */
export function stamping<Spec extends z.ZodObject & z.ZodType<TriggerSpec>>(
  schema: Spec,
  prepare: (spec: z.output<Spec>, S: number) => Stamp | Promise<Stamp>,
): (options?: Partial<z.output<Spec>>) => Trigger {
  return (options = {}) => {
    const spec = parseSpec(String(schema.shape.kind.parse(undefined)), schema, options);
    return stampTrigger(spec, (S) => prepare(spec, S));
  };
}

function explain(attack: string, known: string[], issue: z.core.$ZodIssue, options: unknown): TbarError {
  if (issue.code === "unrecognized_keys") return unknownName(`${attack} option`, issue.keys[0], known);
  const key = String(issue.path[0] ?? "");
  const value = (options as Record<string, unknown> | undefined)?.[key];
  if (issue.code === "invalid_value") return unknownName(`${attack} ${key}`, String(value), issue.values.map(String));
  const shown = JSON.stringify(value)?.slice(0, 80); // a stranger's spec may hold any amount
  return badInput(`${attack}: ${key}=${shown}: ${issue.message}`);
}
