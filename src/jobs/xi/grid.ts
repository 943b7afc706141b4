/** The grid of models, one at a time: their answers are counted and their weights let go. */
import { floorVariance, isVariance } from "../../arithmetic/running-variance.ts";
import { axpy } from "../../arithmetic/task-vector.ts";
import type { Scorer } from "../../engine/scorer.ts";
import { disagreements } from "../../metrics/disentanglement.ts";
import { badInput } from "../../tensor/error.ts";
import type { Weights } from "../../tensor/tensor.ts";

export interface Plane {
  /** theta_0. */
  readonly origin: Weights;
  readonly clean: Weights;
  readonly trigger: Weights;
  readonly alphas: readonly number[];
}

/** theta_0 + alpha_c tau_c + alpha_t tau_t; running variances floored at 0 once. What neither vector changes is shared with theta_0. */
export function modelAt({ origin, clean, trigger }: Plane, alphaC: number, alphaT: number): Weights {
  const out = new Map(origin);
  const terms = ([[alphaC, clean], [alphaT, trigger]] as const).filter(([alpha]) => alpha !== 0); // biome-ignore format: a table
  for (const name of new Set(terms.flatMap(([, tau]) => [...tau.keys()]))) {
    const own = origin.get(name);
    if (own === undefined) throw badInput(`theta_0 has no ${name}, which a vector changes`);
    const data = own.data.slice();
    for (const [alpha, tau] of terms) {
      const part = tau.get(name);
      if (part !== undefined) axpy(alpha, part.data, data);
    }
    if (isVariance(name)) floorVariance(data);
    out.set(name, { shape: own.shape, data });
  }
  return out;
}

export interface Asked {
  readonly clean: Scorer;
  readonly labels: ArrayLike<number>;
  readonly triggered: Scorer;
  readonly target: number;
}

/** Images at one place: those of which a model of one vector alone says something else, right ones, those taken for the target. */
export const counted = ["clean", "triggered", "right", "target"] as const;
export type Counts = Readonly<Record<(typeof counted)[number], number>>;

/** Counts at places of the grid, by the indices of alpha_c and alpha_t. Single-axis answers are asked for once per alpha. */
export function createGrid(plane: Plane, { clean, labels, triggered, target }: Asked) {
  const { alphas } = plane;
  const zero = alphas.indexOf(0);
  const alone = new Map<string, Promise<Int32Array>>();
  const once = (key: string, ask: () => Promise<Int32Array>) => {
    const known = alone.get(key) ?? ask();
    alone.set(key, known);
    return known;
  };
  const onAxis = {
    clean: (c: number) => once(`clean ${c}`, () => clean.answers(modelAt(plane, alphas[c], 0))),
    triggered: (t: number) => once(`triggered ${t}`, () => triggered.answers(modelAt(plane, 0, alphas[t]))),
  };
  return async function at(c: number, t: number): Promise<Counts> {
    const weights = modelAt(plane, alphas[c], alphas[t]);
    const [alone, with_] = [await onAxis.clean(c), t === zero ? await onAxis.clean(c) : await clean.answers(weights)];
    const [aloneT, withC] = [await onAxis.triggered(t), c === zero ? await onAxis.triggered(t) : await triggered.answers(weights)]; // biome-ignore format: as above
    return {
      clean: disagreements(alone, with_),
      triggered: disagreements(aloneT, withC),
      right: labels.length - disagreements(with_, labels),
      target: withC.filter((answer) => answer === target).length,
    };
  };
}
