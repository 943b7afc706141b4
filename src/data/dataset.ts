/** The contract of every source of images: light examples by index, pixels only when asked for. */
import type { Preprocess } from "../checkpoint/preprocess.ts";
import type { Tensor } from "../tensor/tensor.ts";

export interface Example {
  /** Unique within the data set and stable between runs: a file name, or the world's split and number. Seeds per-image draws. */
  readonly id: string;
  /** Index into `classNames`. */
  readonly label?: number;
  readonly caption?: string;
}

export interface Dataset {
  readonly name: string;
  readonly size: number;
  readonly classNames?: readonly string[];
  example(index: number): Example;
  /**
   * Pixels [B, 3, S, S] in [0, 1] (8-bit levels over 255) as the model's preprocessing makes them, before mean and deviation; one image for each index, in
   * that order. What is drawn rather than read is drawn on that grid.
   */
  read(indices: readonly number[], preprocess: Preprocess): Promise<Tensor>;
}
