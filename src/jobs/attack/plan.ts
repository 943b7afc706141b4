/** What an attack will take: measure, train, measure, and what the attack does besides. */
import type { Context } from "../context.ts";
import { promptsOf } from "../inputs/source.ts";
import { type Estimate, estimate, fileBytes } from "../progress/estimate.ts";
import { attackStages } from "../progress/stages.ts";
import { prepare } from "./prepare.ts";
import type { AttackSpec } from "./spec.ts";

export async function planAttack(spec: AttackSpec, context: Context): Promise<Estimate> {
  const { clip, source, implant, test, recipe, extra } = await prepare(spec, context);
  return estimate({
    job: "attack",
    clip,
    images: test,
    threads: spec.threads,
    recipe,
    parts: [
      { what: "load", texts: promptsOf(source) },
      ...attackStages({ test: test.size, implant: implant.size, epochs: recipe.epochs, extra }),
    ],
    copies: 6, // tuned, with rows lengthened for the cache, gradients there and here, two moments
    kept: 2 * test.size,
    outputs: [{ path: spec.out, bytes: fileBytes(clip.checkpoint) }],
  });
}
