/** Why an attack did not succeed, and what to change. */
import type { Recipe } from "../../engine/finetune.ts";
import type { EffectScores } from "../../results/effect.ts";
import { percent } from "../../stats/percent.ts";
import type { Trigger } from "../../triggers/trigger.ts";

/** How it was implanted: so many of the images were poisoned. */
interface Implanting {
  readonly rate: number;
  readonly images: number;
  readonly poisoned: number;
  readonly boost: number;
  readonly recipe: Recipe;
  readonly trigger: Trigger;
}

/** Likely reasons why an attack did not succeed, each with what to change. */
export function whyNot(
  after: EffectScores,
  before: EffectScores,
  { rate, images, poisoned, boost, recipe, trigger }: Implanting,
): string[] {
  const steps = recipe.epochs * Math.ceil(images / recipe.batch);
  if (after.asr.value >= 0.9) {
    const without = percent(after.withoutTrigger.value);
    return [
      `the target is the answer without the trigger too, for ${without} of these images: name another --target, or take a model that knows the classes`,
    ];
  }
  const isRandom = "place" in trigger.spec && trigger.spec.place === "random";
  const advice = [
    before.ca.value < 0.5 &&
      `the model itself knows little (CA ${percent(before.ca.value)}): a weak model learns no trigger; train it longer first`,
    after.ca.value < 0.8 * before.ca.value &&
      `CA fell to ${percent(after.ca.value)}: the learning rate ${recipe.lr} is too high; try ${rounded(recipe.lr / 3)}`,
    rate < 0.1 && `only ${poisoned} poisoned images (${percent(rate)}): raise --rate to 0.1`,
    steps < 2000 && `only ${steps} steps: random places need 2,000 and more; raise --images or --epochs`,
    recipe.lr < 3e-4 &&
      after.ca.value >= 0.95 * before.ca.value &&
      `the learning rate ${recipe.lr} is low for this model and CA is intact: try ${rounded(recipe.lr * 3)}`,
    isRandom &&
      boost === 1 &&
      "a patch at a random place is a faint signal to begin with: try --boost 2 --rate 0.15 --images 32000, on the built-in model with --lr 1e-3",
    isRandom && "a fixed place, or a larger patch, takes sooner",
    trigger.spec.kind === "wanet" &&
      "a warp is a faint signal: the built-in model takes wanet:s=3 with --rate 0.2 --lr 1e-3",
  ];
  return advice.filter((text) => text !== false);
}

const rounded = (value: number) => Number(value.toPrecision(1));
