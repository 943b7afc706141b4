/**
 * PAR, Perturb and Recover (arXiv 2412.00727): push both encoders away from what they answered at first, until they are far enough, while the
 * loss over clean pairs puts them together again, without the backdoor.
 */
import type { ClipConfig } from "../checkpoint/config/config.ts";
import { pairLoss, unit } from "../clip/loss.ts";
import { imageTower, type Normalization, textTower } from "../clip/towers.ts";
import type { Task } from "../engine/finetune.ts";
import type { Objective } from "../engine/gradients.ts";
import { type CaptionBatch, contrastive } from "../engine/objectives.ts";
import { byContrast } from "../engine/tasks.ts";
import { type Node, scalar } from "../graph/node.ts";
import { add, mul, reduceSumSquare, relu, scale, sign, sub } from "../graph/ops/index.ts";
import { random } from "../tensor/random.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { captionsNeeded, captionsOf, contrastRecipe, learningTowers, mapped } from "./captions.ts";
import { choosing, type Defense, type Learning, learningRates } from "./defense.ts";

/** Mean squared distance, of at most 4, from which on an encoder is far enough. */
export const farEnough = 2.15;

export const par: Defense = {
  name: "par",
  title: "PAR",
  about:
    "trains on clean pairs while both encoders are pushed away from their first answers; its learning rate is chosen on validation",
  paper: "arXiv 2412.00727",
  needs: ["captions"],
  control: true,
  cost: ({ clean, epochs }) => ({
    trained: learningRates.length * clean * epochs,
    encoded: learningRates.length * clean * epochs,
    measured: learningRates.length,
  }),
  run: (input) => {
    const pairs = captionsNeeded("par", input);
    return choosing(input, "lr", learningRates, (lr) => input.learn(pairs, pushing, { lr }));
  },
};

function pushing(learning: Learning): Task<CaptionBatch> {
  const { clip, data, recipe } = learning;
  const { config, preprocess, encoder, weights } = clip;
  const usual = byContrast(clip, data, contrastRecipe(recipe, data));
  const noisy = ({ pixels, ...rest }: CaptionBatch, step: number) => ({
    ...rest,
    pixels: perturbedImages(pixels, preprocess, recipe.seed, step),
  });
  const first: FirstAnswers = async (batch) => ({
    images: await encoder.images(weights, batch.pixels), // of the same changed images
    texts: await encoder.texts(weights, captionsOf(batch)),
  });
  return learningTowers(learning, { ...mapped(usual, noisy), objective: parLoss(config, preprocess, first) });
}

/** Unit-norm embeddings of the model as it came. */
export type FirstAnswers = (batch: CaptionBatch) => Promise<Record<"images" | "texts", Tensor>>;

/** InfoNCE - 1/2 (1[S_image <= tau] S_image + 1[S_text <= tau] S_text), S the batch's mean |x - x_first|^2 of unit embeddings; the scale does not learn. */
export function parLoss(
  config: ClipConfig,
  normalization: Normalization,
  first: FirstAnswers,
): Objective<CaptionBatch> {
  const usual = contrastive(config, normalization);
  return {
    trains: (name) => name !== "logit_scale" && usual.trains(name),
    async feeds(batch, weights) {
      const { images, texts } = await first(batch);
      return { ...(await usual.feeds(batch, weights)), firstImages: images, firstTexts: texts };
    },
    loss(p, feeds, statistics) {
      const images = imageTower(config, p, feeds.pixels, normalization, statistics);
      const texts = textTower(config, p, { tokens: feeds.tokens, ends: feeds.ends, endRows: feeds.endRows });
      const away = add(pushed(images, feeds.firstImages), pushed(texts, feeds.firstTexts));
      return sub(pairLoss(config, p, images, texts, feeds.mask), scale(away, 0.5));
    },
  };
}

/** S where it is at most tau, else 0 and without a gradient. */
function pushed(embeddings: Node, first: Node): Node {
  const distance = scale(reduceSumSquare(sub(unit(embeddings), first)), 1 / first.shape[0]);
  return mul(relu(sign(sub(scalar(farEnough), distance))), distance);
}

/** Half of the images with the positive half of noise N(0, 0.2), half with a square of 0.5 to 1 % of the area blotted out by the mean color. */
export function perturbedImages({ shape, data }: Tensor, { mean }: Normalization, ...seed: readonly number[]): Tensor {
  const [B, , S] = shape;
  const out = data.slice();
  for (let b = 0; b < B; b++) {
    const draw = random(...seed, "par", b);
    const image = out.subarray(b * 3 * S * S, (b + 1) * 3 * S * S);
    if (draw.uniform() < 0.5) {
      const noise = new Float32Array(image.length);
      draw.fillNormal(noise, 0, 0.2);
      image.forEach((v, i) => {
        image[i] = Math.min(1, v + Math.max(0, noise[i]));
      });
    }
    if (draw.uniform() < 0.5) {
      const side = Math.max(1, Math.round(S * Math.sqrt(0.005 + 0.005 * draw.uniform())));
      const [top, left] = [draw.int(S - side + 1), draw.int(S - side + 1)];
      for (let c = 0; c < 3; c++)
        for (let y = top; y < top + side; y++)
          image.fill(mean[c], (c * S + y) * S + left, (c * S + y) * S + left + side);
    }
  }
  return { shape, data: out };
}
