/** The same images under other labels, or with captions. */
import { random } from "../tensor/random.ts";
import type { Dataset } from "./dataset.ts";

/** Labels in the order of the examples; captions are dropped, as they may name the old ones. */
export function withLabels(dataset: Dataset, labels: ArrayLike<number>, classNames = dataset.classNames): Dataset {
  if (labels.length !== dataset.size) throw new RangeError(`${labels.length} labels for ${dataset.size} examples`);
  return { ...dataset, classNames, example: (i) => ({ id: dataset.example(i).id, label: labels[i] }) };
}

/** The captions of `like`, whose images these are. */
export const captionedAs = (like: Dataset, dataset: Dataset): Dataset => ({
  ...dataset,
  example: (i) => ({ ...dataset.example(i), caption: like.example(i).caption }),
});

/** Images without a caption get one of their class: a template, drawn for each, `{}` standing for the class. Of no known class they stay without. */
export function withCaptions<D extends Dataset>(dataset: D, templates: readonly string[], seed: number): D {
  return {
    ...dataset,
    example(i: number) {
      const example = dataset.example(i);
      const name = example.label === undefined ? undefined : dataset.classNames?.[example.label];
      if (example.caption !== undefined || name === undefined) return example;
      const template = templates[random(seed, "caption", example.id).int(templates.length)];
      return { ...example, caption: template.replaceAll("{}", () => name) };
    },
  };
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
