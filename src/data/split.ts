/** Data sets out of data sets: parts, disjoint splits and sums. Nothing is read; only indices move. */
import { badInput } from "../tensor/error.ts";
import { random } from "../tensor/random.ts";
import { tensor } from "../tensor/tensor.ts";
import type { Dataset, Example } from "./dataset.ts";
import { putImages } from "./images/pixels.ts";

/** The examples at `indices`, in that order. Throws RangeError on an index outside the data set. */
export function subset(dataset: Dataset, indices: readonly number[], name = dataset.name): Dataset {
  const outside = indices.find((i) => !(Number.isInteger(i) && i >= 0 && i < dataset.size));
  if (outside !== undefined)
    throw new RangeError(`no example ${outside} in ${dataset.name} (${dataset.size} examples)`);
  return {
    name,
    size: indices.length,
    classNames: dataset.classNames,
    example: (i) => dataset.example(indices[i]),
    ...(dataset.shortSide && {
      shortSide: (i) => (dataset.shortSide as NonNullable<Dataset["shortSide"]>)(indices[i]),
    }),
    read(wanted, preprocess) {
      const own = Array.from(wanted, (i) => indices[i]);
      return dataset.read(own, preprocess);
    },
  };
}

/** The indices of the examples for which something holds. */
export function indicesOf(dataset: Dataset, holds: (example: Example, index: number) => boolean): number[] {
  return range(dataset.size).filter((index) => holds(dataset.example(index), index));
}

/** The first `count` examples, or all if there are fewer. */
export function take(dataset: Dataset, count: number): Dataset {
  return subset(dataset, range(Math.min(count, dataset.size)));
}

/** 0 .. n-1 in an order drawn from the seed path. */
export function shuffledOrder(n: number, ...path: readonly (number | string)[]): number[] {
  return random("order", ...path).shuffle(range(n));
}

/**
 * Disjoint parts, drawn in the order they are named: a later part more leaves the earlier ones as they were. A size is a
 * number of examples, a share between 0 and 1, or "rest". Throws TbarError when the data set is too small.
 */
export function splitDataset<Part extends string>(
  dataset: Dataset,
  parts: Readonly<Record<Part, number | "rest">>,
  seed: number,
): Record<Part, Dataset> {
  const order = shuffledOrder(dataset.size, "split", seed);
  const sizes = (Object.entries(parts) as [Part, number | "rest"][]).map(
    ([part, size]) => [part, size === "rest" ? size : partSize(part, size, dataset.size)] as const,
  );
  const asked = sizes.reduce((sum, [, size]) => sum + (size === "rest" ? 0 : size), 0);
  if (asked > dataset.size) {
    const list = sizes.map(([part, size]) => `${part} ${size}`).join(", ");
    throw badInput(`${dataset.name} has ${dataset.size} examples; the split asks for ${asked} (${list})`);
  }
  let next = 0;
  const out = {} as Record<Part, Dataset>;
  for (const [part, size] of sizes) {
    const end = next + (size === "rest" ? dataset.size - asked : size);
    out[part] = subset(dataset, order.slice(next, end), `${dataset.name}/${part}`);
    next = end;
  }
  return out;
}

/**
 * A training set without its validation part, and that part: a tenth, at most 5,000 (the rule of mlfoundations/task_vectors, whose draw
 * is another: SUN397 1,985, CIFAR-100 5,000, ImageNet 5,000).
 */
export function validationSplit(train: Dataset, seed = 0): { readonly train: Dataset; readonly validation: Dataset } {
  const validation = Math.min(Math.floor(train.size / 10), 5000);
  return splitDataset(train, { validation, train: "rest" }, seed);
}

function partSize(part: string, size: number, whole: number): number {
  if (Number.isInteger(size) && size >= 0) return size;
  if (size > 0 && size < 1) return Math.round(size * whole);
  throw badInput(`split part ${part}: expected a number of examples or a share between 0 and 1, found ${size}`);
}

/**
 * One data set after the other. Class names are the first's; all parts must agree on them. An id that was there before
 * gets #2, #3, so that ids stay unique; the parts' own draws are not touched.
 */
export function concat(datasets: readonly Dataset[], name = datasets.map((d) => d.name).join("+")): Dataset {
  const classNames = datasets.find((d) => d.classNames !== undefined)?.classNames;
  for (const { name, classNames: names } of datasets) {
    if (names !== undefined && JSON.stringify(names) !== JSON.stringify(classNames)) {
      throw badInput(
        `${name} has other class names than ${datasets[0].name}; only data sets with the same classes can be joined`,
      );
    }
  }
  const places = datasets.flatMap((dataset) => range(dataset.size).map((index) => ({ dataset, index })));
  const unique = uniqueIds(places.map(({ dataset, index }) => dataset.example(index).id));
  return {
    name,
    size: places.length,
    classNames,
    contents: datasets[0].contents,
    example: (i): Example => ({ ...places[i].dataset.example(places[i].index), id: unique[i] }),
    async read(indices, preprocess) {
      const { cropSize } = preprocess;
      const out = tensor([indices.length, 3, cropSize, cropSize]);
      for (const dataset of new Set(indices.map((i) => places[i].dataset))) {
        const slots = range(indices.length).filter((slot) => places[indices[slot]].dataset === dataset);
        const wanted = slots.map((slot) => places[indices[slot]].index);
        putImages(out, slots, await dataset.read(wanted, preprocess));
      }
      return out;
    },
  };
}

/** The same ids, with #2, #3 ... on those that were there before. */
export function uniqueIds(ids: readonly string[]): string[] {
  const taken = new Set<string>();
  const times = new Map<string, number>();
  return ids.map((id) => {
    let unique = id;
    for (let n = (times.get(id) ?? 1) + 1; taken.has(unique); n++) {
      unique = `${id}#${n}`;
      times.set(id, n);
    }
    taken.add(unique);
    return unique;
  });
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
