/** What there is of what defenses need. */
import { isProjection } from "../../clip/parameters.ts";
import type { Dataset } from "../../data/dataset.ts";
import type { Need } from "../../defenses/defense.ts";
import type { LoadedClip } from "../../engine/clip.ts";
import { badInput } from "../../tensor/error.ts";
import { openSource, type SourceOptions } from "../inputs/source.ts";

interface Found {
  readonly clip: LoadedClip;
  readonly clean: Dataset;
  /** Is the trigger known as a function, so that images are known with and without it? */
  readonly pairs: boolean;
  readonly training: boolean;
}

export function present({ clip, clean, pairs, training }: Found): Readonly<Record<Need, boolean>> {
  return {
    "clean images": clean.size > 0,
    pairs,
    captions: hasCaptions(clean),
    "training set": training,
    "a transformer": clip.config.vision.kind !== "resnet",
    "a last linear map": [...clip.weights.keys()].some(isProjection),
  };
}

export const hasCaptions = (data: Dataset): boolean => data.size > 0 && data.example(0).caption !== undefined;

/** The poisoned set that the model was trained on. Throws `bad-input` on the world, which has no end, and where classes are not those of the data. */
export async function openTraining(
  asked: string | undefined,
  { testData, validationData, ...options }: SourceOptions,
  classNames: readonly string[],
): Promise<Dataset | undefined> {
  if (asked === undefined) return undefined;
  const { size, sets, classNames: own } = await openSource(asked, options);
  if (size === undefined)
    throw badInput(`--training-data ${asked}: the world has no end; bring a folder or table of the images trained on`);
  if (JSON.stringify(own) !== JSON.stringify(classNames))
    throw badInput(`--training-data ${asked} has other classes than --data; both take the same --classes FILE`);
  return (await sets({ training: size })).training;
}
