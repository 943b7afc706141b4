/**
 * First-order (ours, against TBAR): implanted so that the gradient g of the forget-set loss, along which the trigger vector
 * starts, says little. Minimised: L + weight |g|, or L + weight |g . u| with u the unit vector from the clean model to this one.
 */
import { z } from "zod";
import { isVision } from "../clip/parameters.ts";
import { type Node, scalar } from "../graph/node.ts";
import { abs, add, div, mul, reduceSum, reduceSumSquare, sqrt, sub } from "../graph/ops/index.ts";
import type { TriggerSpec } from "../triggers/trigger.ts";
import { describe } from "./attack.ts";
import { borrowTrigger, carrierNames } from "./carrier.ts";
import { type ByName, implantAgainst, penaltyImages } from "./forget-gradient.ts";

const own = z.strictObject({
  kind: z.literal("first-order").default("first-order"),
  carrier: z.enum(carrierNames).default("badnet"),
  /** norm: |g|. direction: |g . u|, u from the clean model to this one. */
  penalty: z.enum(["norm", "direction"]).default("norm"),
  /** Of the penalty, beside the cross-entropy; and the share of the steps before it is added. */
  weight: z.number().nonnegative().default(1),
  after: z.number().min(0).lt(1).default(0.5),
  /** Triggered images a step, for the penalty. */
  forget: z.int().min(1).max(1024).default(16),
});

export type FirstOrderSpec = TriggerSpec & z.output<typeof own>;

export const firstOrder = describe({
  name: "first-order",
  title: "First-order (ours)",
  about: "another's; implanted so that the forget set has little to say",
  options: "carrier, weight",
  spec: own.loose(),
  trigger: (options) => borrowTrigger(own, options),
  extra: ({ spec }, training) => penaltyImages(spec as FirstOrderSpec, training),
  implant(input) {
    const { penalty, weight, after, forget } = input.trigger.spec as FirstOrderSpec;
    const settings = { weight, after, forget };
    const tuned = new Map([...input.weights].filter(([name]) => isVision(name)));
    return implantAgainst(
      input,
      penalty === "norm"
        ? { ...settings, against: new Map(), penalty: length }
        : { ...settings, against: tuned, penalty: alongChange },
    );
  },
});

/** |g|, over all values of all tensors together. */
export function length(g: ByName): Node {
  const squares = [...g.values()].map((node) => reduceSumSquare(node));
  return sqrt(add(squares.reduce(add), scalar(1e-20)));
}

/** |g . (theta - theta_0)| / |theta - theta_0|. */
export function alongChange(g: ByName, weights: ByName, start: ByName): Node {
  const change: ByName = new Map([...start].map(([name, from]) => [name, sub(weights.get(name) as Node, from)]));
  const dots = [...change].map(([name, d]) => reduceSum(mul(g.get(name) as Node, d)));
  return div(abs(dots.reduce(add)), length(change));
}
