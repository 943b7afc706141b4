/**
 * CleanCLIP (Bansal et al. 2023, arXiv 2303.03323): beside the loss over pairs, each image has to find its own changed copy among the
 * batch's, and each caption its own, so that representations are held together by themselves and not by what a trigger ties them to.
 */
import type { ClipConfig } from "../checkpoint/config/config.ts";
import { crossEntropy, pairLoss, similarity } from "../clip/loss.ts";
import { type TokenBatch, tokenBatch } from "../clip/tokens.ts";
import { imageTower, type Normalization, textTower } from "../clip/towers.ts";
import { autoAugment } from "../data/augment/auto-augment.ts";
import { eda } from "../data/augment/eda.ts";
import type { Task } from "../engine/finetune.ts";
import type { Objective } from "../engine/gradients.ts";
import { type CaptionBatch, contrastive } from "../engine/objectives.ts";
import { byContrast } from "../engine/tasks.ts";
import type { Node } from "../graph/node.ts";
import { add, identity, scale } from "../graph/ops/index.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { captionsNeeded, captionsOf, contrastRecipe, learningTowers, mapped } from "./captions.ts";
import { choosing, type Defense, type Learning, learningRates } from "./defense.ts";

export const cleanClip: Defense = {
  name: "cleanclip",
  title: "CleanCLIP",
  about:
    "trains on clean pairs, and each image and caption to find its changed copy; its learning rate is chosen on validation",
  paper: "arXiv 2303.03323",
  needs: ["captions"],
  control: true,
  cost: ({ clean, epochs }) => ({ trained: 2 * learningRates.length * clean * epochs, measured: learningRates.length }),
  run: (input) => {
    const pairs = captionsNeeded("cleanclip", input);
    return choosing(input, "lr", learningRates, (lr) => input.learn(pairs, onViews, { lr }));
  },
};

function onViews(learning: Learning): Task<Views> {
  const { clip, data, recipe } = learning;
  const { tokenize, config, preprocess } = clip;
  const views = ({ pixels, text, mask, ...rest }: CaptionBatch, step: number): Views => ({
    pixels: [pixels, autoAugment(pixels, recipe.seed, step)],
    // the same for a caption in every round, as there
    text: [
      text,
      tokenBatch(
        captionsOf({ pixels, text, ...rest }).map((one) => tokenize(eda(one, recipe.seed))),
        config.text,
      ),
    ],
    ...(mask && { mask }),
  });
  const usual = byContrast(clip, data, contrastRecipe(recipe, data));
  return learningTowers(learning, { ...mapped(usual, views), objective: cleanClipLoss(config, preprocess) });
}

/** Images and captions as they are, and changed. */
export interface Views extends Pick<CaptionBatch, "mask"> {
  readonly pixels: readonly [Tensor, Tensor];
  readonly text: readonly [TokenBatch, TokenBatch];
}

/** InfoNCE(I, T) + 1/2 (CE(s I I'^T, diagonal) + CE(s T T'^T, diagonal)), the terms within a kind in one direction, s the same for all. */
export function cleanClipLoss(config: ClipConfig, normalization: Normalization): Objective<Views> {
  const usual = contrastive(config, normalization);
  return {
    trains: usual.trains,
    feeds: async ({ pixels, text, mask }, weights) => ({
      ...(await usual.feeds({ pixels: pixels[0], text: text[0], mask }, weights)),
      otherPixels: pixels[1],
      otherTokens: text[1].tokens,
      otherEnds: text[1].ends,
      otherEndRows: text[1].endRows,
    }),
    loss(p, feeds, statistics) {
      const image = (x: Node) => imageTower(config, p, x, normalization, statistics);
      const [images, changed] = [image(feeds.pixels), image(feeds.otherPixels)];
      const texts = textTower(config, p, { tokens: feeds.tokens, ends: feeds.ends, endRows: feeds.endRows });
      const other = { tokens: feeds.otherTokens, ends: feeds.otherEnds, endRows: feeds.otherEndRows };
      const within = (a: Node, b: Node) => crossEntropy(similarity(a, b, p("logit_scale")), identity(a.shape[0]));
      const self = add(within(images, changed), within(texts, textTower(config, p, other)));
      return add(pairLoss(config, p, images, texts, feeds.mask), scale(self, 0.5));
    },
  };
}
