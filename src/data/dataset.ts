/** The contract of every source of images: light examples by index, pixels only when asked for. */
import type { Preprocess } from "../checkpoint/config/preprocess.ts";
import type { Tensor } from "../tensor/tensor.ts";

export interface Example {
  /** Unique within the data set and stable between runs: a file name, or the world's split and number. Seeds per-image draws. */
  readonly id: string;
  /** Index into `classNames`. */
  readonly label?: number;
  readonly caption?: string;
}

/** What was found where a data set lies, for the line that says so after opening. */
export interface Contents {
  /** Where labels come from: "folders", "column label", ".cls". */
  readonly labels?: string;
  readonly captions?: string;
  /** A file with the names of the classes. */
  readonly classNames?: string;
  /** What lies there and is not used: counts by kind. */
  readonly leftOut?: Readonly<Record<string, number>>;
  /** What was assumed. */
  readonly notes?: readonly string[];
}

export interface Dataset {
  readonly name: string;
  readonly size: number;
  readonly classNames?: readonly string[];
  readonly contents?: Contents;
  example(index: number): Example;
  /**
   * Pixels [B, 3, S, S] in [0, 1] (8-bit levels over 255) as the model's preprocessing makes them, before mean and deviation; one image for each index, in
   * that order. What is drawn rather than read is drawn on that grid.
   */
  read(indices: readonly number[], preprocess: Preprocess): Promise<Tensor>;
  /** Shorter side in pixels of an image as it is stored. Absent where images are drawn, or lie in several places. */
  shortSide?(index: number): Promise<number>;
}
