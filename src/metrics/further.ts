/** The contract of a metric beside CA and ASR: what else a model can do. */
import type { Dataset } from "../data/dataset.ts";
import type { Clip } from "../engine/clip.ts";
import type { Rate } from "../stats/rate.ts";
import type { Tensor, Weights } from "../tensor/tensor.ts";

export interface Measured {
  readonly clip: Clip;
  readonly weights: Weights;
  /** Clean test images. */
  readonly images: Dataset;
  /** Zero-shot head [C, E] of their classes. */
  readonly head: Tensor;
  /** Test images of other classes with the trigger, and the class it leads to, where one is known. */
  readonly triggered?: Dataset;
  readonly target?: number;
  readonly signal?: AbortSignal;
}

export interface FurtherMetric {
  /** As people type it. */
  readonly name: string;
  /** As tables and reports spell it. */
  readonly title: string;
  /** What it tells. */
  readonly about: string;
  /** A cleaning measures it where pairs are learned; `eval --metric` wherever it is named. */
  readonly ofPairs?: true;
  /** It is no part of a cleaning's checks. */
  readonly onlyAsked?: true;
  /** Images that it looks at; 0 where these lack what it needs. */
  size(images: Dataset, triggered?: Dataset): number;
  measure(input: Measured): Promise<Rate>;
}
