/** The same images under other labels. */
import type { Dataset } from "./dataset.ts";

/** Labels in the order of the examples; captions are dropped, as they may name the old ones. */
export function withLabels(dataset: Dataset, labels: ArrayLike<number>, classNames = dataset.classNames): Dataset {
  if (labels.length !== dataset.size) throw new RangeError(`${labels.length} labels for ${dataset.size} examples`);
  return { ...dataset, classNames, example: (i) => ({ id: dataset.example(i).id, label: labels[i] }) };
}

/** No labels: what is known of an image under these classes is what its caption says. */
export function withoutLabels(dataset: Dataset, classNames: readonly string[]): Dataset {
  return {
    ...dataset,
    classNames,
    example(i) {
      const { id, caption } = dataset.example(i);
      return { id, caption };
    },
  };
}
