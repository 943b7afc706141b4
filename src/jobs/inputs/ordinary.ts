/** A folder of "triggered" images that are ordinary photos of the target class has an ASR of 100 % too: they are compared with the class's own. */
import type { Dataset } from "../../data/dataset.ts";
import { subset, take } from "../../data/split.ts";
import type { Clip } from "../../engine/clip.ts";
import { embedImages } from "../../engine/scorer.ts";
import { ownNeighbours } from "../../metrics/two-sample.ts";
import { percent } from "../../stats/percent.ts";
import type { Rate } from "../../stats/rate.ts";
import type { Weights } from "../../tensor/tensor.ts";

/** Images compared at most, of each kind, and the fewest that say something. */
const [most, least] = [200, 8];
/** One half of ordinary photos keep to their own; of images that a trigger draws together, nearly all. */
const apart = 0.75;

interface Compared {
  readonly clip: Clip;
  readonly weights: Weights;
  /** Images that are said to carry a trigger. */
  readonly given: Dataset;
  /** Clean images with their labels. */
  readonly clean: Dataset;
  readonly labels: ArrayLike<number>;
  readonly target: number;
  readonly signal?: AbortSignal;
}

/** What is known of a folder of images that are said to carry a trigger. */
export interface Folder {
  /** They look like ordinary photos of the target class. */
  readonly isOrdinary: boolean;
  readonly warnings: readonly string[];
}

/** Compares the folder's images with the class's own among the clean ones. */
export async function ordinaryImages({ clip, weights, given, clean, labels, target, signal }: Compared) {
  const own = Array.from({ length: labels.length }, (_, i) => i).filter((i) => labels[i] === target);
  const count = Math.min(most, own.length, given.size);
  const name = clean.classNames?.[target] ?? String(target);
  if (count < least) {
    const few =
      own.length < given.size
        ? `${own.length} images of "${name}" in the data`
        : `${given.size} images in ${given.name}`;
    const warnings = [`${few} are too few to see whether the folder holds ordinary photos of the class`];
    return { isOrdinary: false, warnings };
  }
  const embed = (images: Dataset) => embedImages(clip, weights, take(images, count), { signal });
  return folderOf(ownNeighbours(await embed(given), await embed(subset(clean, own))), given.name, name);
}

/** What the share of images that have one of their own kind nearest to them tells. */
export function folderOf(neighbours: Rate, folder: string, target: string): Folder {
  if (neighbours.value >= apart) return { isOrdinary: false, warnings: [] };
  const warnings = [
    `the images in ${folder} look like ordinary photos of "${target}" to the model: only ${percent(neighbours.value)} of ${neighbours.n} ` +
      `have one of their own kind as their nearest neighbour (photos of one class 50 %, images with a trigger nearly all). ` +
      `Without a trigger, an attack success rate is nothing but the accuracy on the class`,
  ];
  return { isOrdinary: true, warnings };
}
