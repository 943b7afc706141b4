/** What a checkpoint says of itself: the triggers it carries (`tbar.trigger`), and the receipt of a cleaning (`tbar.receipt`). */
import { z } from "zod";
import { parseAs } from "../../files/files.ts";
import { parseJson } from "../../files/json.ts";
import { badInput } from "../../tensor/error.ts";

/** Metadata key of the triggers that attacks implanted. */
export const triggerKey = "tbar.trigger";
/** Metadata key of the receipt that a cleaning leaves. */
export const receiptKey = "tbar.receipt";

/** Metadata key of a vector file: the backdoors that adding it brings, and takes away. */
export const backdoorsKey = "tbar.backdoors";

const implantedSchema = z.object({
  /** As `makeTrigger` takes it. */
  trigger: z.looseObject({ kind: z.string().max(100) }),
  /** Class name. */
  target: z.string().max(1000),
});

/** A trigger with the class it leads to. */
export type Implanted = z.output<typeof implantedSchema>;

/** The first one, and beside it those of later attacks. */
const allSchema = implantedSchema.extend({ others: z.array(implantedSchema).max(100).default([]) });

/** The triggers a checkpoint's metadata names, in the order of the attacks. Throws `bad-input` on metadata that does not parse. */
export function implantedTriggers(metadata: Readonly<Record<string, string>>): readonly Implanted[] {
  const text = metadata[triggerKey];
  if (text === undefined) return [];
  try {
    const { others, ...first } = allSchema.parse(parseJson(text, triggerKey));
    return [first, ...others];
  } catch (cause) {
    throw badInput(`the checkpoint's metadata "${triggerKey}" is not a trigger: ${String(cause).slice(0, 200)}`, cause);
  }
}

/**
 * One of them: by number, counted from 1, or the only one; undefined when there is none. Throws `bad-input` when there are
 * several and no number says which.
 */
export function implantedTrigger(metadata: Readonly<Record<string, string>>, number?: number): Implanted | undefined {
  const all = implantedTriggers(metadata);
  const found = number === undefined ? all[0] : all[number - 1];
  const isSaid = number === undefined ? all.length <= 1 : found !== undefined;
  if (isSaid) return found;
  throw badInput(
    all.length === 0
      ? `--trigger-index ${number}: the checkpoint does not say which triggers it carries`
      : `the checkpoint carries ${listed(all)}; say which with --trigger-index 1${all.length > 1 ? ` to ${all.length}` : ""}`,
  );
}

/** What is known of the trigger without the checkpoint's help. */
interface Told {
  readonly trigger?: unknown;
  readonly triggered?: unknown;
  readonly target?: string;
  readonly triggerIndex?: number;
}

/** The metadata's trigger, for what the options leave open; not looked for when they say both trigger and target. */
export function askedTrigger(metadata: Readonly<Record<string, string>>, told: Told): Implanted | undefined {
  const isTold = told.target !== undefined && (told.trigger ?? told.triggered) !== undefined;
  return isTold ? undefined : implantedTrigger(metadata, told.triggerIndex);
}

/** The metadata of a checkpoint that carries these, to be spread into its others; nothing where there is none. */
export function triggerMetadata([first, ...others]: readonly Implanted[]): Record<string, string> {
  if (first === undefined) return {};
  return { [triggerKey]: JSON.stringify(others.length === 0 ? first : { ...first, others }) };
}

/** 1 badnet -> "red circle", 2 blended -> "blue star" */
export function listed(triggers: readonly Implanted[]): string {
  return triggers.map(({ trigger, target }, i) => `${i + 1} ${trigger.kind} -> "${target}"`).join(", ");
}

const backdoorSchema = implantedSchema.extend({
  /** What adding the vector does to it; subtracting does the contrary. */
  adding: z.enum(["implants", "removes"]),
});

/** A backdoor whose direction a task vector has. */
export type VectorBackdoor = z.output<typeof backdoorSchema>;

/** The backdoors that a vector's metadata name. Throws `bad-input` on metadata that does not parse. */
export function vectorBackdoors(metadata: Readonly<Record<string, string>>): readonly VectorBackdoor[] {
  const text = metadata[backdoorsKey];
  if (text === undefined) return [];
  return parseAs(
    z.array(backdoorSchema).max(100),
    parseJson(text, `the vector's metadata "${backdoorsKey}"`),
    `the vector's metadata "${backdoorsKey}" are no backdoors`,
  );
}

/** What the difference TO - FROM does to the backdoors that the two declare. */
export function backdoorsBetween(from: readonly Implanted[], to: readonly Implanted[]): readonly VectorBackdoor[] {
  const without = (all: readonly Implanted[], others: readonly Implanted[]) =>
    all.filter((one) => !others.some((other) => isSame(one, other)));
  return [
    ...without(to, from).map((one) => ({ ...one, adding: "implants" as const })),
    ...without(from, to).map((one) => ({ ...one, adding: "removes" as const })),
  ];
}

/**
 * The backdoors of MODEL + alpha VECTOR: those that the model declares, and those that the vector brings. One that it takes away
 * stays declared: that it is gone is for tbar clean to show.
 */
export function backdoorsAfter(declared: readonly Implanted[], vector: readonly VectorBackdoor[], alpha: number) {
  const brings = alpha > 0 ? "implants" : "removes";
  const brought = vector
    .filter(({ adding }) => alpha !== 0 && adding === brings)
    .map(({ trigger, target }) => ({ trigger, target }))
    .filter((one) => !declared.some((other) => isSame(one, other)));
  return { all: [...declared, ...brought], brought };
}

function isSame(a: Implanted, b: Implanted): boolean {
  return JSON.stringify([a.trigger, a.target]) === JSON.stringify([b.trigger, b.target]);
}

/** The warning that a checkpoint's own metadata ask for; undefined where they declare no backdoor. */
export function backdoorWarning(metadata: Readonly<Record<string, string>>): string | undefined {
  try {
    const declared = implantedTriggers(metadata);
    return declared.length === 0
      ? undefined
      : `this checkpoint declares that it carries a backdoor: ${listed(declared)}`;
  } catch (error) {
    return `this checkpoint declares a backdoor, but not in words that can be read: ${(error as Error).message}`;
  }
}
