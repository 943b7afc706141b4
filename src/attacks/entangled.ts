/**
 * Entangled (ours, against TBAR): implanted so that the trigger's vector points where a clean task vector points. TBAR subtracts
 * alpha tau_t with tau_t along -g; where -g runs along the clean task vector, subtracting it takes the task away as well.
 * Minimised: L + weight (1 + cos(g, tau_c)).
 */
import { z } from "zod";
import { norm, scale as scaled, taskVector } from "../arithmetic/task-vector.ts";
import { finetune } from "../engine/finetune.ts";
import { underHead } from "../engine/tasks.ts";
import { type Node, scalar } from "../graph/node.ts";
import { add, div, mul, reduceSum, reduceSumSquare, sqrt } from "../graph/ops/index.ts";
import type { Weights } from "../tensor/tensor.ts";
import type { TriggerSpec } from "../triggers/trigger.ts";
import { describe, type ImplantInput } from "./attack.ts";
import { borrowTrigger, carrierNames } from "./carrier.ts";
import { type ByName, implantAgainst, penaltyImages } from "./forget-gradient.ts";

const own = z.strictObject({
  kind: z.literal("entangled").default("entangled"),
  carrier: z.enum(carrierNames).default("badnet"),
  /** Of the penalty, beside the cross-entropy. */
  weight: z.number().nonnegative().default(1),
  /** Triggered images a step, for the penalty. */
  forget: z.int().min(1).max(1024).default(16),
});

export type EntangledSpec = TriggerSpec & z.output<typeof own>;

export const entangled = describe({
  name: "entangled",
  title: "Entangled (ours)",
  about: "another's; implanted so that its vector runs along the task's",
  options: "carrier, weight=1",
  spec: own.loose(),
  trigger: (options) => borrowTrigger(own, options),
  extra: ({ spec }, training) => training.images + penaltyImages(spec as EntangledSpec, training),
  async implant(input) {
    const { weight, forget } = input.trigger.spec as EntangledSpec;
    const clean = await cleanTaskVector(input);
    return implantAgainst(input, {
      weight,
      after: 0,
      forget,
      against: clean,
      penalty: (g, _, tau) => add(scalar(1), cosine(g, tau)),
    });
  },
});

/** tau_c: one epoch of the same recipe on the clean images, of length 1. */
async function cleanTaskVector(input: ImplantInput): Promise<Weights> {
  const { clip, weights, clean, head, recipe, signal, report } = input;
  const once = { ...recipe, epochs: 1 };
  const tuned = await finetune(clip, weights, underHead(clip, clean, head, once), once, {
    signal,
    onStep: ({ step }, steps) => report(step, steps, "the clean task vector"),
  });
  const tau = taskVector(weights, tuned);
  return scaled(tau, 1 / norm(tau));
}

/** cos(g, tau) over all values of all tensors together, for a tau of length 1; 0 for a vanishing g. */
export function cosine(g: ByName, tau: ByName): Node {
  const dots = [...tau].map(([name, t]) => reduceSum(mul(g.get(name) as Node, t)));
  const squares = [...g.values()].map((node) => reduceSumSquare(node));
  return div(dots.reduce(add), sqrt(add(squares.reduce(add), scalar(1e-20))));
}
