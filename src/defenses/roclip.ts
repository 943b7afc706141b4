/**
 * RoCLIP (Yang, Gao and Mirzasoleiman 2023, arXiv 2303.06854): in every second round an image is not matched with its own caption but with the caption
 * most like the image out of a pool, so that a poisoned pair is broken up, while an honest one finds another that fits. It was made for
 * pre-training; here, as others compare with it, it fine-tunes on clean pairs.
 */
import type { ClipConfig } from "../checkpoint/config/config.ts";
import { contrastiveLoss } from "../clip/loss.ts";
import { tokenBatch } from "../clip/tokens.ts";
import { imageTower, type Normalization } from "../clip/towers.ts";
import { autoAugment } from "../data/augment/auto-augment.ts";
import { eda } from "../data/augment/eda.ts";
import type { Task } from "../engine/finetune.ts";
import type { Objective } from "../engine/gradients.ts";
import { type CaptionBatch, contrastive } from "../engine/objectives.ts";
import { byContrast } from "../engine/tasks.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { captionsNeeded, captionsOf, contrastRecipe, learningTowers, mapped } from "./captions.ts";
import { choosing, type Defense, type Learning, learningRates } from "./defense.ts";

/** Every so many rounds the pool is asked. */
const every = 2;
/** Captions of the pool: 21,845 in the paper, of a million; here a share of the set, two batches at least. */
const poolShare = 1 / 4;

export const roClip: Defense = {
  name: "roclip",
  title: "RoCLIP",
  about:
    "trains on clean pairs, in every second round with the pool's most similar caption instead; its learning rate is chosen on validation",
  paper: "arXiv 2303.06854",
  needs: ["captions"],
  control: true,
  cost: ({ clean, epochs }) => ({
    trained: learningRates.length * clean * epochs,
    encoded: (learningRates.length * clean * epochs) / every,
    measured: learningRates.length,
  }),
  run: (input) => {
    const pairs = captionsNeeded("roclip", input);
    return choosing(input, "lr", learningRates, (lr) => input.learn(pairs, onPool, { lr }));
  },
};

function onPool(learning: Learning): Task<PoolBatch> {
  const { clip, data, recipe: asked } = learning;
  const { tokenize, config, preprocess, encoder } = clip;
  const recipe = contrastRecipe(asked, data);
  const pool = captionPool(Math.max(2 * recipe.batch, Math.round(poolShare * data.size)), config.embedDim);
  const usual = byContrast(clip, data, recipe);
  const stepsPerRound = usual.steps / recipe.epochs;
  const changed = ({ pixels, mask, ...rest }: CaptionBatch, step: number): PoolBatch => {
    const captions = captionsOf({ pixels, ...rest }).map((one) => eda(one, recipe.seed));
    const round = 1 + Math.floor(step / stepsPerRound);
    return {
      pixels: autoAugment(pixels, recipe.seed, step),
      text: tokenBatch(captions.map(tokenize), config.text),
      captions,
      ...(mask && { mask }),
      asksPool: round % every === 0,
    };
  };
  const neighbours: Neighbours = async ({ pixels, captions = [], asksPool }, weights) => {
    const found = asksPool ? pool.nearest(await encoder.images(weights, pixels)) : undefined;
    pool.push(await encoder.texts(weights, captions));
    return found;
  };
  return learningTowers(learning, { ...mapped(usual, changed), objective: roClipLoss(config, preprocess, neighbours) });
}

export interface PoolBatch extends CaptionBatch {
  readonly asksPool: boolean;
}

/** Unit-norm caption embeddings [B, E] out of the pool, in a round that asks it. */
export type Neighbours = (
  batch: PoolBatch,
  weights: Parameters<Objective<PoolBatch>["feeds"]>[1],
) => Promise<Tensor | undefined>;

/** InfoNCE of images with their own captions; in a round that asks the pool, with what it holds, which has no gradient. */
export function roClipLoss(
  config: ClipConfig,
  normalization: Normalization,
  neighbours: Neighbours,
): Objective<PoolBatch> {
  const usual = contrastive(config, normalization);
  return {
    trains: usual.trains,
    readsWeights: true,
    async feeds(batch, weights) {
      const found = await neighbours(batch, weights);
      return found === undefined ? usual.feeds(batch, weights) : { pixels: batch.pixels, neighbours: found };
    },
    loss(p, feeds, statistics) {
      if (feeds.neighbours === undefined) return usual.loss(p, feeds, statistics);
      const images = imageTower(config, p, feeds.pixels, normalization, statistics);
      return contrastiveLoss(images, feeds.neighbours, p("logit_scale"));
    },
  };
}

/** The last so many caption embeddings, first in, first out. It begins empty (there: with random vectors). */
export function captionPool(size: number, E: number) {
  const rows = new Float32Array(size * E);
  let pushed = 0;
  return {
    push({ data }: Tensor) {
      for (let at = 0; at < data.length; at += E) rows.set(data.subarray(at, at + E), (pushed++ % size) * E);
    },
    /** For each row [B, E] the pool's row with the largest cosine; undefined while the pool is empty. */
    nearest({ shape, data }: Tensor): Tensor | undefined {
      const held = Math.min(pushed, size);
      if (held === 0) return undefined;
      const out = tensor(shape);
      for (let b = 0; b < shape[0]; b++) {
        let [best, most] = [0, Number.NEGATIVE_INFINITY];
        for (let row = 0; row < held; row++) {
          let cosine = 0;
          for (let e = 0; e < E; e++) cosine += data[b * E + e] * rows[row * E + e];
          if (cosine > most) [best, most] = [row, cosine];
        }
        out.data.set(rows.subarray(best * E, (best + 1) * E), b * E);
      }
      return out;
    },
  };
}
