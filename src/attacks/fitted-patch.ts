/** Patches that are fitted to a model: pixels in the trigger's spec, one fixed place. */

import { badInput } from "../tensor/error.ts";
import { stampTrigger, type Trigger } from "../triggers/trigger.ts";
import { checkPlace, type PatchSpec, patchStamp, sideOf } from "./patch.ts";
import { loadPixels } from "./stored-pixels.ts";

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
