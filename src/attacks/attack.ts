/** The contract of every attack: options in, a trigger out. Options are checked here, once, and then trusted. */
import { z } from "zod";
import type { Trigger } from "../data/trigger.ts";
import { badInput, type TbarError, unknownName } from "../tensor/error.ts";

/** An attack as the registry sees it. Unknown options and values out of range are TbarErrors. */
export type Attack = (options?: Record<string, unknown>) => Trigger;

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

/** Options -> a complete spec, defaults filled in. */
export function parseSpec<S extends z.ZodObject>(attack: string, schema: S, options: unknown): z.output<S> {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  throw explain(attack, Object.keys(schema.shape), parsed.error.issues[0], options);
}

function explain(attack: string, known: string[], issue: z.core.$ZodIssue, options: unknown): TbarError {
  if (issue.code === "unrecognized_keys") return unknownName(`${attack} option`, issue.keys[0], known);
  const key = String(issue.path[0] ?? "");
  const value = (options as Record<string, unknown> | undefined)?.[key];
  if (issue.code === "invalid_value") return unknownName(`${attack} ${key}`, String(value), issue.values.map(String));
  return badInput(`${attack}: ${key}=${JSON.stringify(value)}: ${issue.message}`);
}
