/** What a measuring will take. */
import type { Context } from "../context.ts";
import { promptsOf } from "../inputs/source.ts";
import { type Estimate, estimate } from "../progress/estimate.ts";
import { prepare } from "./prepare.ts";
import type { EvalSpec } from "./spec.ts";

export async function planEvaluation(spec: EvalSpec, context: Context): Promise<Estimate> {
  const { clip, source, test, trigger, triggered, metrics, reference, also } = await prepare(spec, context);
  const measured = test.size + (triggered?.size ?? (trigger === undefined ? 0 : test.size));
  const others = also.reduce((sum, { test }) => sum + test.size, 0);
  const beside = reference === undefined ? others : 2 * (others + test.size);
  return estimate({
    job: "eval",
    clip,
    images: test,
    threads: spec.threads,
    parts: [
      { what: "load", texts: promptsOf(source) },
      { what: "measure", read: measured, encoded: measured },
      ...metrics.map(({ name, size }) => ({ what: name, encoded: size(test, triggered ?? (trigger && test)) })),
      ...(beside === 0 ? [] : [{ what: "beside", read: others, encoded: beside }]),
    ],
    kept: test.size,
  });
}
