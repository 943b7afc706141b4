/** What each defense takes: how many different images it saw, and how often any was trained on or encoded. */
import type { Dataset } from "../../data/dataset.ts";
import type { Pixels } from "../../defenses/defense.ts";
import type { Metric } from "../../engine/scorer.ts";

export interface Spent {
  /** Different images, with and without a trigger as one; those of validation and test are everyone's, and left out. */
  readonly data: number;
  /** Images times rounds; what another defense had trained already is counted as if it had not. */
  readonly trained: number;
  /** Images that went through the image tower without being learned from, those of the search among them. */
  readonly encoded: number;
}

/** The bill of one defense at a time. */
export class Spending {
  #seen = new Set<string>();
  #once = new Set<unknown>();
  #trained = 0;
  #encoded = 0;

  /** A new bill. */
  begin(): void {
    this.#seen = new Set();
    this.#once = new Set();
    this.#trained = 0;
    this.#encoded = 0;
  }

  /** Training on a set, so many times; by a key where asking again costs nothing. */
  trained(data: Dataset, rounds: number, key?: string): void {
    this.see(data);
    if (key !== undefined && this.#once.has(key)) return;
    this.#once.add(key);
    this.#trained += rounds * data.size;
  }

  encoded(data: Dataset): void {
    this.see(data);
    if (this.#once.has(data)) return;
    this.#once.add(data);
    this.#encoded += data.size;
  }

  see(data: Dataset): void {
    for (let i = 0; i < data.size; i++) this.#seen.add(data.example(i).id.replace(/#\d+$/, "")); // as `concat` has them
  }

  /** The same batches, counted as they pass. */
  async *counting<Batch extends Pixels>(batches: AsyncIterable<Batch>): AsyncGenerator<Batch> {
    for await (const batch of batches) {
      for (const { shape } of [batch.pixels].flat()) this.#trained += shape[0];
      yield batch;
    }
  }

  /** The same metric, counted as it is asked. */
  metered(metric: Metric): Metric {
    return {
      size: metric.size,
      hits: (weights, from = 0, to = metric.size) => {
        this.#encoded += to - from;
        return metric.hits(weights, from, to);
      },
    };
  }

  spent(): Spent {
    return { data: this.#seen.size, trained: this.#trained, encoded: this.#encoded };
  }
}
