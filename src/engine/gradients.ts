/** The gradient of an objective as a function of weights and a batch: graph, reverse mode and a compiled program per batch shape. */
import type { BatchStatistics } from "../clip/batch-norm.ts";
import { inputsOf } from "../clip/parameters.ts";
import { grad } from "../graph/grad.ts";
import { input, type Node } from "../graph/node.ts";
import { add, reduceSumSquare } from "../graph/ops/index.ts";
import type { Runtime } from "../runtime/compile.ts";
import type { Feeds, Program } from "../runtime/executor.ts";
import { tensor, type Weights } from "../tensor/tensor.ts";

/** What is minimised: a batch (and where it matters, the weights so far) becomes named feeds, and these, as graph inputs of the same shapes, become a loss. */
export interface Objective<Batch> {
  /** Does training change this parameter? */
  readonly trains: (name: string) => boolean;
  readonly feeds: (batch: Batch, weights: Weights) => Feeds | Promise<Feeds>;
  /** Do its feeds read the weights so far? These cannot stay on a device then. */
  readonly readsWeights?: boolean;
  /** `statistics` is given in training; batch normalisation alone asks for it. */
  readonly loss: (
    weights: (name: string) => Node,
    feeds: Readonly<Record<string, Node>>,
    statistics?: BatchStatistics,
  ) => Node;
}

export interface Gradients {
  readonly loss: number;
  /** L2 norm over all trained values. */
  readonly norm: number;
  /** For each trained parameter. The buffers are written again by the next call. */
  readonly of: Weights;
  /** In training, what the running statistics of batch normalisation become after the batch. */
  readonly statistics: Weights;
}

/**
 * weights, batch -> loss and gradients, for weights of the names and shapes given. Batch normalisation goes by its running
 * statistics, and in `training` by the batch's own.
 */
export function gradientsOf<Batch>(
  runtime: Runtime,
  objective: Objective<Batch>,
  like: Weights,
  mode: "evaluation" | "training" = "evaluation",
): (weights: Weights, batch: Batch) => Promise<Gradients> {
  const trained = [...like].filter(([name]) => objective.trains(name));
  const of: Weights = new Map(trained.map(([name, { shape }]) => [name, tensor(shape)]));
  const into = Object.fromEntries([...of].map(([name, value]) => [gradientOf(name), value]));
  const programs = new Map<string, Promise<Program>>();
  return async (weights, batch) => {
    const feeds = await objective.feeds(batch, weights);
    const key = shapesOf(feeds);
    const compile = () => {
      const graph = gradientGraph(objective, like, [...of.keys()], feeds, mode === "training");
      return runtime.compile({
        loss: graph.loss,
        ...prefixed(movedTo, graph.moved),
        squared_norm: graph.squaredNorm,
        ...prefixed(gradientOf, graph.gradients),
      });
    };
    const program = programs.get(key) ?? compile();
    programs.set(key, program);
    const results = await (await program).run({ ...Object.fromEntries(weights), ...feeds }, into);
    const statistics = new Map(
      Object.entries(results)
        .filter(([name]) => name.startsWith(movedTo("")))
        .map(([name, value]) => [name.slice(movedTo("").length), value]),
    );
    return { loss: results.loss.data[0], norm: Math.sqrt(results.squared_norm.data[0]), of, statistics };
  };
}

/** What a program calls the gradient to one of its inputs. */
export const gradientOf = (name: string) => `gradient of ${name}`;
const movedTo = (name: string) => `after the batch: ${name}`;

/** Nodes under other names. */
export const prefixed = (rename: (name: string) => string, nodes: ReadonlyMap<string, Node>) =>
  Object.fromEntries([...nodes].map(([name, node]) => [rename(name), node]));

/** What tells programs apart. */
export const shapesOf = (feeds: Feeds) =>
  JSON.stringify(Object.entries(feeds).map(([name, { shape }]) => [name, shape]));

/** Loss, gradients by parameter, their squared norm, and in training what running statistics become. */
export function gradientGraph<Batch>(
  objective: Objective<Batch>,
  like: Weights,
  trained: readonly string[],
  feeds: Feeds,
  training: boolean,
) {
  const parameter = inputsOf(new Map([...like].map(([name, { shape }]) => [name, shape])));
  const inputs = Object.fromEntries(
    Object.entries(feeds).map(([name, { shape, data }]) => [
      name,
      input(name, shape, data instanceof Int32Array ? "int" : "float32"),
    ]),
  );
  const moved = new Map<string, Node>();
  const statistics: BatchStatistics = (name, value) => void moved.set(name, value);
  const loss = objective.loss(parameter, inputs, training ? statistics : undefined);
  const gradients = grad(loss, trained.map(parameter));
  return {
    loss,
    moved,
    squaredNorm: gradients.map((g) => reduceSumSquare(g)).reduce(add),
    gradients: new Map(trained.map((name, i) => [name, gradients[i]])),
  };
}
