/** Patches that are fitted to a model: pixels in the trigger's spec, one fixed place. */

import { z } from "zod";
import { badInput } from "../tensor/error.ts";
import { stampTrigger, type Trigger, type TriggerSpec } from "../triggers/trigger.ts";
import { checkPlace, type PatchSpec, patchOptions, patchStamp, sideOf } from "./patch.ts";
import { loadPixels, storedPixels } from "./stored-pixels.ts";

/** Options of every attack with such a patch, to be spread into its schema. */
export const fittingOptions = {
  size: patchOptions.size,
  /** Of the fitting: Adam's steps, and its learning rate in units of the pixel range. */
  steps: z.int().min(0).max(1_000_000).default(200),
  lr: z.number().positive().default(0.05),
  /** The fitted patch. Without it the trigger is what the fitting starts from. */
  patch: storedPixels.optional(),
};

export interface FittedPatchSpec extends Omit<PatchSpec, "copies"> {
  /** As `storedPixels`; undefined until it is fitted. */
  readonly patch?: string;
}

/**
 * The spec's patch [3, side, side], or what the fitting starts from; `at224` is the side that the attack's authors take, for a spec
 * without one. Throws TbarError on a place that is none, or not fixed, and on a damaged patch.
 */
export function fittedPatch(spec: FittedPatchSpec, start: (side: number) => Float32Array, at224?: number): Trigger {
  const { kind, place, size, patch } = spec;
  checkPlace({ ...spec, copies: 1 });
  if (place === "random")
    throw badInput(`${kind}: the patch is fitted at a place; name one, such as place=bottom-right`);
  if (patch !== undefined) {
    if (size === undefined) throw badInput(`${kind}: a stored patch needs its size`);
    loadPixels(patch, size, kind);
  }
  const pixels = (side: number) => (patch === undefined ? start(side) : loadPixels(patch, side, kind));
  return stampTrigger(spec, (S) => patchStamp({ ...spec, copies: 1, size: sideOf(spec, S, at224) }, S, pixels));
}

/** Images that a fitting takes. */
export function fittedImages({ spec }: Trigger): number {
  const { patch, steps, batch } = spec as TriggerSpec & { patch?: string; steps: number; batch: number };
  return patch === undefined ? steps * batch : 0;
}
