/** What a measuring will take. */
import type { Context } from "../context.ts";
import { type Estimate, estimate } from "../progress/estimate.ts";
import { prepare } from "./prepare.ts";
import type { EvalSpec } from "./spec.ts";

export async function planEvaluation(spec: EvalSpec, context: Context): Promise<Estimate> {
  const { clip, source, classNames, test, trigger, triggered, metrics } = await prepare(spec, context);
  const measured = test.size + (triggered?.size ?? (trigger === undefined ? 0 : test.size));
  return estimate({
    clip,
    weights: clip.weights,
    images: test,
    threads: spec.threads,
    job: "eval",
    batch: 64,
    parts: [
      { what: "load", texts: classNames.length * source.templates.length },
      { what: "measure", read: measured, encoded: measured },
      ...metrics.map(({ name, size }) => ({ what: name, encoded: size(test) })),
    ],
    copies: 0,
    kept: test.size,
    outputs: [],
  });
}
