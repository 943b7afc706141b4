/** What there is of what defenses need. */
import { isProjection } from "../../clip/parameters.ts";
import type { Dataset } from "../../data/dataset.ts";
import type { Defense, Need } from "../../defenses/defense.ts";
import type { LoadedClip } from "../../engine/clip.ts";
import type { Recipe } from "../../engine/finetune.ts";
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
    "pairs or clean images": pairs || clean.size > 0,
    captions: hasCaptions(clean),
    "training set": training,
    "a transformer": clip.config.vision.kind !== "resnet",
    "a last linear map": [...clip.weights.keys()].some(isProjection),
  };
}

/** Throws `bad-input` where less than all learns and a method is no vector of TBAR's: a rival is trained as its paper has it. */
export function checkVectors(defenses: readonly Defense[], { modules = "all" }: Recipe): void {
  const rivals = modules === "all" ? [] : defenses.filter(({ control }) => control).map(({ name }) => name);
  if (rivals.length > 0)
    throw badInput(
      `--modules ${modules} is for the vectors of TBAR, and ${rivals.join(", ")} trains as published; name methods without rivals (--method tbar), or leave it out`,
    );
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
