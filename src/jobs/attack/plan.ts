/** What an attack will take: measure, train, measure, and what the attack does besides. */
import type { Context } from "../context.ts";
import { type Estimate, estimate, fileBytes } from "../progress/estimate.ts";
import { attackStages } from "../progress/stages.ts";
import { prepare } from "./prepare.ts";
import type { AttackSpec } from "./spec.ts";

export async function planAttack(spec: AttackSpec, context: Context): Promise<Estimate> {
  const { clip, source, classNames, implant, test, recipe, extra } = await prepare(spec, context);
  return estimate({
    clip,
    weights: clip.weights,
    images: test,
    threads: spec.threads,
    job: "attack",
    batch: recipe.batch,
    parts: [
      { what: "load", texts: classNames.length * source.templates.length },
      ...attackStages({ test: test.size, implant: implant.size, epochs: recipe.epochs, extra }),
    ],
    copies: 6, // tuned, with rows lengthened for the cache, gradients there and here, two moments
    kept: 2 * test.size,
    outputs: [{ path: spec.out, bytes: fileBytes(clip.checkpoint) }],
  });
}
