/** What a merge will take. */
import { parameterShapes } from "../../checkpoint/config/config.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import type { Context } from "../context.ts";
import { openedModel } from "../inputs/describe-opened.ts";
import { type Estimate, estimateOf, fileBytes } from "../progress/estimate.ts";
import { openMerge } from "./run.ts";
import type { MergeSpec } from "./spec.ts";

/** A merge: every file is read once, and once more where values are trimmed. The largest tensor tells how fast. */
export async function planMerge(spec: MergeSpec, { progress }: Context): Promise<Estimate> {
  const { base, models, settings } = await openMerge(spec);
  progress.opened?.({ models: [base, ...models].map(openedModel) });
  const sizes = new Map([...parameterShapes(base.config)].map(([name, shape]) => [name, sizeOf(shape)]));
  const [largest, most] = [...sizes].reduce((a, b) => (b[1] > a[1] ? b : a));
  const start = performance.now();
  for (const checkpoint of [base, ...models]) await checkpoint.tensor(largest);
  const values = [...sizes.values()].reduce((a, b) => a + b, 0);
  const each = ((performance.now() - start) / 1000) * (values / most);
  const trims = settings.method === "ties";
  return estimateOf({
    job: "merge",
    parts: [...(trims ? ["trim"] : []), "merge"].map((what) => ({
      what,
      seconds: each,
      range: [0.7 * each, 2 * each],
    })),
    memory: (models.length + 2) * 2 ** 22 + (trims ? 4 * values : 0), // pieces, and one whole vector
    outputs: [{ path: spec.out, bytes: fileBytes(base) }],
    threads: 1,
    basis: "An estimate: the largest tensor was read to see how fast.",
    advice: "task arithmetic needs less",
  });
}
