/**
 * LoRA (Hu et al., arXiv 2106.09685, section 4.1): every matrix that would learn stays as it is, and beside it learn two thin ones, W = W0 + (a / r) B A with
 * A [r, in] and B [out, r]. Gradients and an optimizer's moments are of A and B alone. Afterwards the product is added, so that what comes out are
 * weights like any others, and a task vector of them is one too.
 */
import type { Params } from "../clip/parameters.ts";
import type { Node } from "../graph/node.ts";
import { add, gemm } from "../graph/ops/index.ts";
import { pick } from "../optim/optimizer.ts";
import { random } from "../tensor/random.ts";
import { type Tensor, tensor, type Weights } from "../tensor/tensor.ts";
import type { Objective } from "./gradients.ts";

/** a: the paper sets it once and leaves it there for all ranks, so that the learning rate need not follow them. */
export const loraAlpha = 16;
/** r where none is told. */
export const usualRank = 8;

/** Names of the factors of a matrix. */
export const factorsOf = (name: string) => ({ A: `${name}.lora_A`, B: `${name}.lora_B` });

/** Is this a matrix that values are multiplied by, and no table of embeddings? Biases, norms and convolutions have no factors. */
export const hasFactors = (name: string, { length }: readonly number[]) => length === 2 && !/embedding/.test(name);

/** r, or what the matrix itself has at most. */
export const rankOf = ([to, from]: readonly number[], rank: number) => Math.min(rank, to, from);

/** An objective of which low-rank factors learn. */
export interface LowRank<Batch> {
  /** The weights, and the factors. */
  readonly start: Weights;
  readonly objective: Objective<Batch>;
  /** W0 + (a / r) B A in place of W0 and its factors. */
  merged(tuned: Weights): Weights;
}

interface Model {
  readonly start: Weights;
  /** `start`, some rows and columns of zeros longer (`widened`): these get factors of zeros, and stay. */
  readonly wide: Weights;
}

/** The same objective with factors beside each matrix that it trains; nothing else learns. */
export function lowRank<Batch>(
  objective: Objective<Batch>,
  { start, wide }: Model,
  { rank = usualRank, seed }: { readonly rank?: number; readonly seed: number },
): LowRank<Batch> {
  const names = [...start].filter(([name, { shape }]) => objective.trains(name) && hasFactors(name, shape));
  const factors = new Map<string, Tensor>();
  for (const [name, { shape }] of names) {
    const [to, from] = pick(wide, name).shape;
    const r = rankOf(shape, rank);
    factors.set(factorsOf(name).A, initial([r, shape[1]], from, seed, name));
    factors.set(factorsOf(name).B, tensor([to, r])); // zeros: training begins at W0
  }
  const adapted = new Set(names.map(([name]) => name));
  const scale = loraAlpha / rank;
  return {
    start: new Map([...wide, ...factors]),
    objective: {
      ...objective,
      trains: (name) => factors.has(name),
      loss: (p, ...rest) => objective.loss(withFactors(p, adapted, scale), ...rest),
    },
    merged(tuned) {
      const out = new Map(tuned);
      for (const name of adapted) {
        const { A, B } = factorsOf(name);
        out.set(name, merge(pick(tuned, name), pick(tuned, A), pick(tuned, B), scale));
        for (const factor of [A, B]) out.delete(factor);
      }
      return out;
    },
  };
}

/** A [r, in] uniform within 1 / sqrt(in), as the authors' code has it (microsoft/LoRA, kaiming_uniform_ with a = sqrt 5); zeros beyond `in`. */
function initial([r, from]: readonly number[], width: number, seed: number, name: string): Tensor {
  const to = tensor([r, width]);
  const rng = random(seed, "lora", name);
  const most = from ** -0.5;
  for (let k = 0; k < r; k++) {
    const row = to.data.subarray(k * width, k * width + from);
    rng.fillUniform(row);
    for (let i = 0; i < from; i++) row[i] = most * (2 * row[i] - 1);
  }
  return to;
}

/** Parameters of which the matrices named are W0 + scale B A. */
function withFactors(p: Params, adapted: ReadonlySet<string>, scale: number): Params {
  const sums = new Map<string, Node>();
  return (name) => {
    if (!adapted.has(name)) return p(name);
    const { A, B } = factorsOf(name);
    const sum = sums.get(name) ?? add(p(name), gemm(p(B), p(A), { alpha: scale }));
    sums.set(name, sum);
    return sum;
  };
}

/** W0 + scale B A, each value rounded to float32 once. */
export function merge(w: Tensor, a: Tensor, b: Tensor, scale: number): Tensor {
  const [to, from] = w.shape;
  const [r] = a.shape;
  const out = tensor(w.shape);
  const row = new Float64Array(from);
  for (let o = 0; o < to; o++) {
    row.set(w.data.subarray(o * from, (o + 1) * from));
    for (let k = 0; k < r; k++) {
      const by = scale * b.data[o * r + k];
      if (by === 0) continue;
      const at = k * from;
      for (let i = 0; i < from; i++) row[i] += by * a.data[at + i];
    }
    out.data.set(row, o * from);
  }
  return out;
}
