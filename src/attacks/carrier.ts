/** Attacks that differ in how they poison or implant, not in what they show: their trigger is borrowed from another attack. */
import type { z } from "zod";
import type { Trigger } from "../triggers/trigger.ts";
import { parseSpec } from "./attack.ts";
import { badnet } from "./badnet.ts";
import { blended } from "./blended.ts";

const carriers = { badnet, blended };

export const carrierNames = ["badnet", "blended"] as const;

/** An attack's own options; the others are its carrier's. */
type Own = z.ZodObject<{ kind: z.ZodDefault<z.ZodLiteral>; carrier: z.ZodDefault<z.ZodEnum> }, z.core.$strict>;

/**
 * The carrier's trigger under the borrower's name; its spec has the options of both. `usual` are options of a BadNet carrier
 * that are not given: a fixed patch takes sooner than one at random places. Throws TbarError as both attacks do.
 */
export function borrowTrigger<S extends Own>(
  own: S,
  options: Record<string, unknown> = {},
  usual: Parameters<typeof badnet>[0] = { place: "bottom-right", redraw: false },
): Trigger & { readonly spec: z.output<S> } {
  const isOwn = ([key]: [string, unknown]) => key in own.shape;
  const given = Object.entries(options);
  const spec = parseSpec(own.shape.kind.parse(undefined) as string, own, Object.fromEntries(given.filter(isOwn)));
  const rest = Object.fromEntries(given.filter((pair) => !isOwn(pair)));
  const carrier = spec.carrier as keyof typeof carriers;
  const trigger = carriers[carrier](carrier === "badnet" ? { ...usual, ...rest } : rest);
  return { ...trigger, spec: { ...trigger.spec, ...spec } };
}
