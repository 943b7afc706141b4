/** Which images of a data set can be read at all. */
import { availableParallelism } from "node:os";
import { clipPreprocess } from "../checkpoint/config/preprocess.ts";
import { TbarError } from "../tensor/error.ts";
import { listed } from "../tensor/printable.ts";
import type { Dataset } from "./dataset.ts";
import { concurrently } from "./formats/concurrently.ts";
import { subset } from "./split.ts";

export interface BadImage {
  readonly id: string;
  readonly reason: string;
}

export interface OpenedDataset extends Dataset {
  /** Records that could not be used and were left out. */
  readonly skipped: readonly BadImage[];
}

/**
 * Decodes every image once, since only that finds a file that was cut short, and parts those that can be read from the
 * others. Costs one pass over the files.
 */
export async function checkImages(dataset: Dataset): Promise<{ good: Dataset; bad: readonly BadImage[] }> {
  const indices = Array.from({ length: dataset.size }, (_, i) => i);
  const reasons = new Map<number, string>();
  await concurrently(indices, availableParallelism() + 1, async (index) => {
    try {
      await dataset.read([index], clipPreprocess(16));
    } catch (error) {
      if (!(error instanceof TbarError)) throw error;
      reasons.set(index, error.message);
    }
  });
  const bad = indices
    .filter((i) => reasons.has(i))
    .map((i) => ({ id: dataset.example(i).id, reason: reasons.get(i)! }));
  const good = indices.filter((i) => !reasons.has(i));
  return { good: subset(dataset, good), bad };
}

/** A class none of whose images can be read is no class: the data without those that have lost all they had, and a note that names them. */
export function withoutLostClasses(good: Dataset, all: Dataset): Dataset {
  const { classNames, contents } = good;
  const areOfImages = contents?.classNames === undefined && /^(folders$|column |key )/.test(contents?.labels ?? "");
  if (classNames === undefined || !areOfImages) return good; // a list of classes stays as it is
  const labelsOf = (of: Dataset) => new Set(Array.from({ length: of.size }, (_, i) => of.example(i).label));
  const [before, now] = [labelsOf(all), labelsOf(good)];
  const isLost = (label: number) => before.has(label) && !now.has(label);
  const kept = classNames.map((_, label) => label).filter((label) => !isLost(label));
  if (kept.length === classNames.length) return good;
  const lost = classNames.filter((_, label) => isLost(label));
  return {
    ...good,
    classNames: kept.map((label) => classNames[label]),
    contents: {
      ...contents,
      notes: [...(contents?.notes ?? []), `no image of ${listed(lost, 5)} can be read: no class`],
    },
    example(index) {
      const { label, ...example } = good.example(index);
      return { ...example, ...(label !== undefined && { label: kept.indexOf(label) }) };
    },
  };
}
