/** Limits that the images at hand cannot meet are refused before anything is trained. */
import { isProjection } from "../../clip/parameters.ts";
import type { Dataset } from "../../data/dataset.ts";
import type { Rule } from "../../defenses/alpha-search.ts";
import type { LoadedClip } from "../../engine/clip.ts";
import type { Recipe } from "../../engine/finetune.ts";
import { checkBatch } from "../../engine/tasks.ts";
import { percent } from "../../stats/percent.ts";
import { imagesToShow, rate } from "../../stats/rate.ts";
import { badInput, TbarError } from "../../tensor/error.ts";
import { tensor } from "../../tensor/tensor.ts";
import type { Trigger } from "../../triggers/trigger.ts";
import { limitOf } from "../record/verdict.ts";

/** Images as drawn, and those of them that count: triggered ones, none of the target's own and none of classes kept from cleaning. */
export interface Usable {
  readonly drawn: number;
  readonly usable: number;
  /** Size of the folder of triggered images of which they are a part, where that is what was brought. */
  readonly folder?: number;
}

/**
 * Throws `not-proven` where the validation or test images are so few that not even a trigger without a single hit would be shown to be
 * below the rule's limit.
 */
export function checkEnoughImages(rule: Rule, parts: Readonly<Record<"validation" | "test", Usable>>): void {
  const limit = limitOf(rule);
  const needed = imagesToShow(limit);
  for (const [part, { drawn, usable, folder }] of Object.entries(parts)) {
    if (usable >= needed) continue;
    const bound = percent(rate(0, usable).interval[1]);
    // of each image drawn, so much can be used
    const more = usable === 0 ? "" : ` (--${part} ${Math.ceil((needed * drawn) / usable)} or so)`;
    const [which, takes] =
      folder === undefined
        ? [
            `of ${drawn} ${part} images ${usable} can carry the trigger and count (those of the target, and on validation those of classes kept from cleaning, do not)`,
            `${needed} of them${more}`,
          ]
        : [
            `of the folder's ${folder} triggered images ${usable} are kept for ${part}`,
            `${needed}, which is a folder of ${Math.ceil((needed * folder) / Math.max(usable, 1))} or so`,
          ];
    throw new TbarError(
      "not-proven",
      `too few images to say: ${which}; even without a hit their 95 % upper bound is ${bound}, and the limit is ${percent(limit)}. ` +
        `It takes ${takes}, or a looser --limit. Nothing was trained.`,
    );
  }
}

/** Throws `bad-input` where the trigger does not fit images of this side, before any of them is read. */
export async function checkFits(trigger: Trigger | undefined, imageSize: number): Promise<void> {
  await trigger?.apply(tensor([1, 3, imageSize, imageSize]), ["any"]);
}

/** Throws `bad-input` where the further checks are asked for with too few images to see the limit. */
export function checkChecks(rule: Rule, checks: number): void {
  const needed = imagesToShow(limitOf(rule));
  if (checks === 0 || checks >= needed) return;
  throw badInput(
    `--checks ${checks}: so few images cannot show an ASR of at most ${percent(limitOf(rule))}; ${needed} are the least, and 0 leaves these checks out`,
  );
}

/** Throws `bad-input` where a contrastive batch cannot be filled: too few images, or one without a caption and a class to make one of. */
export function checkPairs(images: Dataset, { batch }: { readonly batch: number }): void {
  checkBatch(images, batch);
  for (let i = 0; i < images.size; i++) {
    const { id, caption } = images.example(i);
    if (caption === undefined)
      throw badInput(
        `--objective contrastive: ${images.name} has neither a caption nor a label of ${id}; bring a table with image,caption, or labels`,
      );
  }
}

/** Throws `bad-input` where the model has no such part to train. */
export function checkModules({ config, weights }: LoadedClip, { modules }: Recipe, model: string): void {
  if (modules === "projection" && ![...weights.keys()].some(isProjection))
    throw badInput(`${model} has no image projection to train; --modules all trains its image tower`);
  const isResNet = config.vision.kind === "resnet";
  if (modules === "last-block" && isResNet)
    throw badInput(`${model} is a ResNet, whose image tower has no blocks of a transformer; --modules all trains it`);
  if (modules === "lora" && isResNet)
    throw badInput(`${model} is a ResNet: it is made of convolutions, and low-rank factors are of matrices; --modules all trains it`); // biome-ignore format: one line
}
