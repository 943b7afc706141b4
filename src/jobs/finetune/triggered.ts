/** Training images of which a share carries a trigger: a forget set to be learned apart from a cleaning, or a mixture of one and clean images. */
import type { Dataset } from "../../data/dataset.ts";
import { badInput } from "../../tensor/error.ts";
import { poison, triggered } from "../../triggers/poison.ts";
import type { Trigger } from "../../triggers/trigger.ts";
import { aimedAt, resolveThreat, toldTrigger } from "../clean/threat.ts";
import type { Context } from "../context.ts";
import type { FinetuneSpec } from "./spec.ts";

export interface Stamped {
  readonly images: Dataset;
  readonly trigger: Trigger;
  readonly target: string;
}

interface Known {
  readonly classNames: readonly string[];
  /** Of the target's captions, where pairs are learned. */
  readonly templates: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * The images under the spec's trigger, or the checkpoint's own; undefined where no share is asked for. A share of 1 leaves images of the
 * target's own class out, less keeps them among the clean ones. Throws `bad-input` on a trigger without a share, and on one that cannot be drawn.
 */
export async function stampedShare(
  images: Dataset,
  spec: FinetuneSpec,
  { classNames, templates, metadata }: Known,
  context: Context,
): Promise<Stamped | undefined> {
  const { triggerShare: share, seed } = spec;
  if (share === undefined) {
    if ((spec.trigger ?? spec.target ?? spec.triggerIndex) === undefined) return undefined;
    throw badInput("how many images shall carry the trigger? --trigger-share 1 makes a forget set of them all");
  }
  const { trigger, target } = aimedAt(resolveThreat(spec, await toldTrigger(spec, context), metadata), classNames);
  if (trigger === undefined) throw badInput("--trigger is a folder of images: it cannot be put on others; describe it");
  const stamped =
    share === 1
      ? triggered(images, trigger, target, { templates })
      : poison(images, { trigger, target, rate: share, seed, templates });
  return { images: stamped, trigger, target };
}
