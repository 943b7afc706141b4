/**
 * Weight disentanglement error (Ortiz-Jimenez, Favero, Frossard, NeurIPS 2023, arXiv 2305.12827) of a clean task and a trigger:
 * xi(alpha_c, alpha_t) = E_clean[f(x; theta_0 + alpha_c tau_c) != f(x; theta_0 + alpha_c tau_c + alpha_t tau_t)]
 *                      + E_triggered[f(x; theta_0 + alpha_t tau_t) != f(x; theta_0 + alpha_c tau_c + alpha_t tau_t)],
 * f being the class that an image is taken for. It is a sum, from 0 to 2: 0 where each vector leaves the other's images alone.
 */
import type { Rate } from "../stats/rate.ts";

/** The error up to which a place of the grid counts as disentangled. */
export const disentangled = 0.05;

export interface Xi {
  /** Clean images and triggered ones added: from 0 to 2. */
  readonly value: number;
  /** 95 %. */
  readonly interval: readonly [number, number];
}

/** Images to which two models do not say the same. Throws RangeError on answers to different numbers of images. */
export function disagreements(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new RangeError(`${a.length} answers beside ${b.length}`);
  let count = 0;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) count++;
  return count;
}

/**
 * The sum of two rates of images that no two share, with the interval of G. Y. Zou and A. Donner, Statistics in Medicine 27:1693-1702,
 * 2008, from their Wilson intervals: from p + q - sqrt((p - l_p)^2 + (q - l_q)^2) to p + q + sqrt((u_p - p)^2 + (u_q - q)^2).
 */
export function xiOf(clean: Rate, triggered: Rate): Xi {
  const [p, [lp, up]] = [clean.value, clean.interval];
  const [q, [lq, uq]] = [triggered.value, triggered.interval];
  const value = p + q;
  return { value, interval: [value - Math.hypot(p - lp, q - lq), value + Math.hypot(up - p, uq - q)] };
}

export interface Region {
  readonly limit: number;
  /** Share of the grid's points with xi <= limit: the area, where each point stands for the cell around it. */
  readonly value: number;
  /** From the share of points whose whole interval lies within the limit to that of points whose interval reaches it. */
  readonly interval: readonly [number, number];
  readonly points: number;
  readonly of: number;
}

/** Clean-trigger disentangled region: how much of the grid has xi <= limit. Throws RangeError on a grid without points. */
export function regionOf(grid: readonly (readonly Xi[])[], limit = disentangled): Region {
  const all = grid.flat();
  if (all.length === 0) throw new RangeError("a grid without points has no region");
  const count = (holds: (xi: Xi) => boolean) => all.filter(holds).length;
  const points = count(({ value }) => value <= limit);
  const [surely, possibly] = [count(({ interval }) => interval[1] <= limit), count(({ interval }) => interval[0] <= limit)]; // biome-ignore format: a pair
  const of = all.length;
  return { limit, value: points / of, interval: [surely / of, possibly / of], points, of };
}
