/** Alphas tried on validation images, on as many images as a decision takes. */
import type { Metric } from "../engine/scorer.ts";
import { type Rate, rate } from "../stats/rate.ts";
import type { Weights } from "../tensor/tensor.ts";

/** One alpha tried. A rate's `n` is below the validation set's size where fewer images decided. */
export interface Trial {
  readonly alpha: number;
  readonly ca: Rate;
  readonly asr: Rate;
}

export interface Probed {
  /** theta_b - alpha tau. */
  readonly at: (alpha: number) => Weights;
  /** Validation images, clean and triggered. */
  readonly clean: Metric;
  readonly triggered: Metric;
}

/** Counts per alpha, grown on demand; weights of the alpha asked last are kept. */
export class Probe {
  readonly #input: Probed;
  readonly #counts = new Map<number, { ca: Count; asr: Count }>();
  #last: { alpha: number; weights: Weights } | undefined;

  constructor(input: Probed) {
    this.#input = input;
  }

  /** Triggered images in all. */
  get size(): number {
    return this.#input.triggered.size;
  }

  /** Triggered images, some more each time, until `decided` or all are seen; a few clean ones beside them. */
  async until(alpha: number, decided: (trial: Trial) => boolean): Promise<Trial> {
    const { clean, triggered } = this.#input;
    await this.#grow(alpha, "ca", clean, Math.min(look, clean.size));
    for (let n = look; ; n += look) {
      await this.#grow(alpha, "asr", triggered, Math.min(n, triggered.size));
      const trial = this.#trial(alpha);
      if (trial.asr.n === triggered.size || decided(trial)) return trial;
    }
  }

  /** All clean images, and as many triggered ones as were asked for before. */
  async clean(alpha: number): Promise<Trial> {
    await this.#grow(alpha, "ca", this.#input.clean, this.#input.clean.size);
    return this.#trial(alpha);
  }

  async fully(alpha: number): Promise<Trial> {
    await this.clean(alpha);
    await this.#grow(alpha, "asr", this.#input.triggered, this.#input.triggered.size);
    return this.#trial(alpha);
  }

  trials(): Trial[] {
    return [...this.#counts.keys()].sort((a, b) => a - b).map((alpha) => this.#trial(alpha));
  }

  /** The alpha with the least ASR, on all images. */
  async nearest(): Promise<Trial> {
    return this.fully(this.trials().reduce((a, b) => (b.asr.value < a.asr.value ? b : a)).alpha);
  }

  async #grow(alpha: number, which: "ca" | "asr", of: Metric, to: number): Promise<void> {
    const counts = this.#counts.get(alpha) ?? { ca: { hits: 0, n: 0 }, asr: { hits: 0, n: 0 } };
    this.#counts.set(alpha, counts);
    const count = counts[which];
    if (count.n >= to) return;
    if (this.#last?.alpha !== alpha) this.#last = { alpha, weights: this.#input.at(alpha) };
    count.hits += await of.hits(this.#last.weights, count.n, to);
    count.n = to;
  }

  #trial(alpha: number): Trial {
    const { ca, asr } = this.#counts.get(alpha) as { ca: Count; asr: Count };
    return { alpha, ca: rate(ca.hits, ca.n), asr: rate(asr.hits, asr.n) };
  }
}

interface Count {
  hits: number;
  n: number;
}

/** Images between decisions; a multiple of the scorer's batch. */
const look = 64;
