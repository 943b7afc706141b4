/**
 * TBAR's vector, regressed on what its linear maps are given (ours): of each of them tau K, the map that does to the step which the trigger makes in
 * the map's inputs what tau does, and to clean inputs as little as it can, by least squares (`leastSquares`, RegMean's closed form). A bias moves so
 * that the mean clean input is answered as before. What no such map is stays: norms, embeddings, and maps that read wider values (`inputMoments`).
 */
import { leastSquares } from "../arithmetic/regression.ts";
import { taskVector } from "../arithmetic/task-vector.ts";
import type { Moments } from "../engine/moments.ts";
import { type Tensor, tensor, type Weights } from "../tensor/tensor.ts";
import { leavesEnough } from "./alpha-search.ts";
import { bestRepair } from "./best-repair.ts";
import {
  type Defense,
  type DefenseInput,
  forgetting,
  type Repair,
  type Sizes,
  startOf,
  subtracting,
} from "./defense.ts";

/** What an answer to a clean input weighs beside one to the trigger's step: first the one, and where that costs clean accuracy the other too. */
const cleanWeights = [10, 100] as const;
/** The share of CA from which on the first will do. */
const firstWillDo = 0.99;
/** So much more of CA is to be kept by the other, which leaves more of the step, so that fewer triggered images are read right again. */
const gain = 0.01;

/** Of both lambdas, or of the one where the trigger only stands for the attack's own. */
export const lambdasOf = ({ onStandIns = false }: Sizes) => (onStandIns ? {} : { searches: 2, copies: 3 });

export const regressed: Defense = {
  name: "regressed",
  title: "TBAR, regressed (ours)",
  about: "the vector's maps fitted to the step that the trigger makes in what they read, and to nothing else",
  needs: ["pairs or clean images", "a transformer"],
  cost: (sizes, beside) => ({
    trained: beside.includes("plain") ? 0 : forgetting(sizes),
    encoded: beside.includes("erase") ? 0 : 3 * sizes.forget + sizes.clean,
    ...lambdasOf(sizes),
  }),
  async run(input) {
    const tau = taskVector(input.backdoored, await input.finetune(input.forget));
    return regressedOn(input, tau, (fitted) => startOf(fitted, tau));
  },
};

/** The maps of `tau` fitted to the trigger's step; `start` is where alpha is looked for first. */
export async function regressedOn(
  input: DefenseInput,
  tau: Weights,
  start: (fitted: Weights) => number,
): Promise<Repair> {
  const { forget: triggered, clean, product } = input;
  const pairs = (await input.answered?.())?.pairs; // of a folder of triggered images they are not known
  const moments = await input.moments({ triggered, pairs, clean });
  let best: Repair | undefined;
  // of triggers that only stand for the attack's own every method goes as far as CA allows, and CA says nothing
  for (const lambda of input.onStandIns ? cleanWeights.slice(0, 1) : cleanWeights) {
    const fitted = await regressedVector(tau, moments, lambda, product);
    const repair = await subtracting(input, fitted, { start: start(fitted), lambda });
    if (best === undefined || isWorth(repair, best)) best = repair;
    if (leavesEnough(best.search, firstWillDo)) break;
  }
  return best as Repair;
}

/** Where a rule weighs CA and ASR itself, it decides; where it holds ASR down, CA must gain by enough. */
function isWorth(other: Repair, first: Repair): boolean {
  const { search: before } = first;
  const isEnough =
    before.merit !== undefined || !leavesEnough(before, 0) || other.search.retained >= before.retained + gain;
  return isEnough && bestRepair([first, other]) === other;
}

/**
 * Of each map's weight W [out, D] tau K, of its bias b [out] - tau K mean(x); nothing of other tensors. Where a map has a bias, clean inputs count by
 * how they differ from their mean, for that is what the bias cannot answer. `product`: a b of matrices.
 */
export async function regressedVector(
  tau: Weights,
  moments: readonly Moments[],
  lambda: number,
  product: DefenseInput["product"],
): Promise<Weights> {
  const fitted = new Map<string, Tensor>();
  for (const { maps, step, mean, spread } of moments) {
    const K = new Map<boolean, Tensor>();
    for (const name of maps) {
      const own = tau.get(name);
      if (own === undefined) continue;
      const bias = name.replace(/weight$/, "bias");
      const hasBias = tau.has(bias);
      const k = K.get(hasBias) ?? leastSquares(step, hasBias ? spread : about0(spread, mean), lambda);
      K.set(hasBias, k);
      const map = await product(own, k);
      fitted.set(name, map);
      if (hasBias) fitted.set(bias, answered(map, mean));
    }
  }
  return fitted;
}

/** E x x^T, of the mean and E (x - mean) (x - mean)^T. */
function about0({ shape, data }: Tensor, { data: mean }: Tensor): Tensor {
  const n = mean.length;
  return { shape, data: data.map((v, i) => v + mean[Math.floor(i / n)] * mean[i % n]) };
}

/** - W x of W [out, D] and x [D]. */
function answered({ shape: [out, n], data }: Tensor, { data: x }: Tensor): Tensor {
  const b = tensor([out]);
  for (let row = 0; row < out; row++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum -= data[row * n + i] * x[i];
    b.data[row] = sum;
  }
  return b;
}
