/**
 * Implants that foresee TBAR: its trigger vector starts out along -g, g the gradient of the forget-set loss (triggered images,
 * labelled as the target). Here g is part of the loss that is trained, so training differentiates a gradient.
 */
import { crossEntropy, headLogits } from "../clip/loss.ts";
import { isVision, type Params } from "../clip/parameters.ts";
import { imageTower } from "../clip/towers.ts";
import { learn, type Task } from "../engine/finetune.ts";
import { allOf, type LabelBatch } from "../engine/objectives.ts";
import { underHead } from "../engine/tasks.ts";
import { grad } from "../graph/grad.ts";
import type { Node } from "../graph/node.ts";
import { add, mul } from "../graph/ops/index.ts";
import { type Tensor, tensor, type Weights } from "../tensor/tensor.ts";
import { type ImplantInput, stepsOf, type Training, watched } from "./attack.ts";
import { withTriggered } from "./victims.ts";

/** A value by parameter name, as a graph node. */
export type ByName = ReadonlyMap<string, Node>;

export interface GradientPenalty {
  /** lambda: how much of the penalty is added to the loss. */
  readonly weight: number;
  /** Share of the steps before it is added: a backdoor that is not there yet cannot be hidden. */
  readonly after: number;
  /** Triggered images a step, of which g is taken. */
  readonly forget: number;
  /** Fixed values, by parameter name, that the penalty compares with. */
  readonly against: Weights;
  /** A scalar of g, the parameters and `against`, all by parameter name. */
  readonly penalty: (g: ByName, weights: ByName, against: ByName) => Node;
}

export interface ForgetBatch extends LabelBatch {
  /** [F, 3, S, S], the trigger on. */
  readonly triggered: Tensor;
  /** Of the penalty in this step. */
  readonly weight: number;
}

/** Fine-tuning on the poisoned set with loss + weight * penalty(g). */
export function implantAgainst(input: ImplantInput, penalty: GradientPenalty): Promise<Weights> {
  return learn(input.clip, input.weights, penalizedTask(input, penalty), input.recipe, watched(input));
}

/** What the penalty costs: a gradient costs one training step on the forget batch, differentiating it about two more. */
export function penaltyImages({ forget }: { readonly forget: number }, training: Training): number {
  return 3 * forget * stepsOf(training);
}

export function penalizedTask(input: ImplantInput, penalty: GradientPenalty): Task<ForgetBatch> {
  const { clip, weights, head, poisoned, recipe, targetLabel } = input;
  const plain = underHead(clip, poisoned, head, recipe);
  const tuned = [...weights.keys()].filter(isVision);
  const prefixed = Object.fromEntries([...penalty.against].map(([name, value]) => [`against ${name}`, value]));
  return {
    steps: plain.steps,
    batches: (from) => weighted(withTriggered(plain.batches(from), input, penalty.forget), penalty, plain.steps),
    objective: {
      trains: plain.objective.trains,
      async feeds(batch, now) {
        return {
          ...(await plain.objective.feeds(batch, now)),
          ...prefixed,
          triggered: batch.triggered,
          wanted: allOf(targetLabel, batch.triggered.shape[0], head.shape[0]),
          weight: tensor([], [batch.weight]),
        };
      },
      loss(p, nodes) {
        const parameters = new Map(tuned.map((name) => [name, p(name)]));
        const gradients = grad(forgetLoss(input, p, nodes), [...parameters.values()]);
        const g = new Map(tuned.map((name, i) => [name, gradients[i]]));
        const against = new Map([...penalty.against.keys()].map((name) => [name, nodes[`against ${name}`]]));
        return add(plain.objective.loss(p, nodes), mul(penalty.penalty(g, parameters, against), nodes.weight));
      },
    },
  };
}

/** Cross-entropy of the triggered images against the target: what TBAR fine-tunes on. */
function forgetLoss({ clip }: ImplantInput, p: Params, nodes: Readonly<Record<string, Node>>): Node {
  const images = imageTower(clip.config, p, nodes.triggered, clip.preprocess);
  return crossEntropy(headLogits(images, nodes.head), nodes.wanted);
}

async function* weighted<Batch>(
  batches: AsyncIterable<Batch>,
  { weight, after }: GradientPenalty,
  steps: number,
): AsyncGenerator<Batch & { readonly weight: number }> {
  let step = 0;
  for await (const batch of batches) yield { ...batch, weight: step++ < after * steps ? 0 : weight };
}
