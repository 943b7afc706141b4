/** The training loop: weights, an objective and batches meet. Everything that learns in this project learns here. */
import { grad } from "../graph/grad.ts";
import { input, type Node } from "../graph/node.ts";
import { add, reduceSumSquare } from "../graph/ops/index.ts";
import type { Optimizer, OptimizerState } from "../optim/optimizer.ts";
import { clipFactor, type Schedule } from "../optim/schedule.ts";
import type { Runtime } from "../runtime/compile.ts";
import type { Feeds, Program } from "../runtime/executor.ts";
import { badInput, TbarError } from "../tensor/error.ts";
import { type Tensor, tensor, type Weights } from "../tensor/tensor.ts";

/** What is minimised: a batch becomes named feeds, and these, as graph inputs of the same shapes, become a loss. */
export interface Objective<Batch> {
  /** Does training change this parameter? */
  readonly trains: (name: string) => boolean;
  readonly feeds: (batch: Batch) => Feeds | Promise<Feeds>;
  readonly loss: (weights: (name: string) => Node, feeds: Readonly<Record<string, Node>>) => Node;
}

export interface StepReport {
  /** Counted from 1. */
  readonly step: number;
  readonly loss: number;
  /** L2 norm of the whole gradient before clipping. */
  readonly gradientNorm: number;
  readonly lr: number;
}

export interface TrainOptions<Batch> {
  readonly runtime: Runtime;
  readonly objective: Objective<Batch>;
  /** One training step for each; a short last batch is a program of its own. */
  readonly batches: AsyncIterable<Batch>;
  readonly optimizer: Optimizer;
  readonly schedule: Schedule;
  /** Clip the gradient to this norm. */
  readonly clip?: number;
  /** Continue from here: `state` is changed in place. */
  readonly state?: OptimizerState;
  readonly onStep?: (report: StepReport, weights: Weights, state: OptimizerState) => void | Promise<void>;
  readonly signal?: AbortSignal;
  /** Called on the weights after each update, to hold one in its range (CLIP clamps its logit scale). */
  readonly constrain?: (weights: Weights) => void;
}

/** New weights after one step for each batch; those given are left as they were. Untrained tensors are shared with them. */
export async function train<Batch>(start: Weights, options: TrainOptions<Batch>): Promise<Weights> {
  const { objective, optimizer, schedule, clip, onStep, signal, constrain } = options;
  const trained = [...start.keys()].filter(objective.trains);
  const weights = new Map(start);
  for (const name of trained) weights.set(name, copy(start.get(name) as Tensor));
  const only = new Map(trained.map((name) => [name, weights.get(name) as Tensor]));
  const state = options.state ?? optimizer.init(only);
  const gradients = new Map(trained.map((name) => [name, tensor((start.get(name) as Tensor).shape)]));
  const programs = new Map<string, Promise<Program>>();

  for await (const batch of options.batches) {
    if (signal?.aborted) throw new TbarError("interrupted", "training was interrupted");
    const feeds = await objective.feeds(batch);
    const key = JSON.stringify(Object.entries(feeds).map(([name, { shape }]) => [name, shape]));
    const program = programs.get(key) ?? compileStep(options.runtime, objective, weights, trained, feeds);
    programs.set(key, program);
    const into = Object.fromEntries(trained.map((name) => [gradientOf(name), gradients.get(name) as Tensor]));
    const results = await (await program).run({ ...Object.fromEntries(weights), ...feeds }, into);

    const loss = results.loss.data[0];
    const gradientNorm = Math.sqrt(results.squared_norm.data[0]);
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) {
      throw badInput(`training diverged at step ${state.step + 1} (loss ${loss}); a smaller learning rate helps`);
    }
    const lr = schedule(state.step);
    optimizer.update(weights, gradients, state, lr, clipFactor(gradientNorm, clip));
    constrain?.(weights);
    await onStep?.({ step: state.step, loss, gradientNorm, lr }, weights, state);
  }
  return weights;
}

const gradientOf = (name: string) => `gradient of ${name}`;
const copy = ({ shape, data }: Tensor): Tensor => ({ shape, data: Float32Array.from(data) });

/** A program that computes the loss, every trained parameter's gradient and the squared norm of them all. */
function compileStep<Batch>(
  runtime: Runtime,
  objective: Objective<Batch>,
  weights: Weights,
  trained: readonly string[],
  feeds: Feeds,
): Promise<Program> {
  const { parameter, loss } = lossGraph(objective, weights, feeds);
  const gradients = grad(loss, trained.map(parameter));
  const squaredNorm = gradients.map((g) => reduceSumSquare(g)).reduce(add);
  const named = Object.fromEntries(trained.map((name, i) => [gradientOf(name), gradients[i]]));
  return runtime.compile({ loss, squared_norm: squaredNorm, ...named });
}

/** An objective's loss over graph inputs shaped like these weights and feeds. */
export function lossGraph<Batch>(objective: Objective<Batch>, weights: Weights, feeds: Feeds) {
  const parameters = new Map<string, Node>();
  const parameter = (name: string): Node => {
    const known = parameters.get(name);
    if (known !== undefined) return known;
    const value = weights.get(name);
    if (value === undefined) throw badInput(`the model has no parameter ${name}`);
    const node = input(name, value.shape);
    parameters.set(name, node);
    return node;
  };
  const inputs = Object.fromEntries(
    Object.entries(feeds).map(([name, { shape, data }]) => [
      name,
      input(name, shape, data instanceof Int32Array ? "int" : "float32"),
    ]),
  );
  return { parameter, inputs, loss: objective.loss(parameter, inputs) };
}
