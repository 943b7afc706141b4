/** Pixels as sigmoids of what is learned: never outside [0, 1]. */
import type { Random } from "../../tensor/random.ts";

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
export const logit = (y: number): number => Math.log(y / (1 - y));

/** The logit of a pixel U[0.02, 0.98]. */
export const somewhere = (stream: Random): number => logit(0.02 + 0.96 * stream.uniform());
