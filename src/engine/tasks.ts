/**
 * What a model can be fine-tuned on: labelled images under a frozen zero-shot head (the image tower learns), or images and captions (both
 * towers learn by contrast, or the image tower alone). An attack or defense that adds to a loss makes a task of its own out of one of these.
 */
import type { ClipConfig } from "../checkpoint/config/config.ts";
import { isLastBlock, isProjection, isVision } from "../clip/parameters.ts";
import { tokenBatch } from "../clip/tokens.ts";
import { type BatchOptions, batches } from "../data/batches.ts";
import { cached } from "../data/cached.ts";
import type { Dataset } from "../data/dataset.ts";
import { badInput } from "../tensor/error.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Clip } from "./clip.ts";
import type { Recipe, Task } from "./finetune.ts";
import type { Objective } from "./gradients.ts";
import {
  type CaptionBatch,
  clampLogitScale,
  classification,
  contrastive,
  falseNegatives,
  type LabelBatch,
} from "./objectives.ts";

/** How often, in which batches and what order images come. */
type Rounds = Pick<Recipe, "epochs" | "batch" | "seed">;

const stepsOf = ({ size }: Dataset, { epochs, batch }: Rounds) => epochs * Math.ceil(size / batch);

/** A batch of whichever task a recipe asks for. */
export type UsualBatch = LabelBatch | CaptionBatch;

/** What the recipe asks for: labels under the frozen head, or pairs by contrast. */
export function usualTask(clip: Clip, dataset: Dataset, head: Tensor, recipe: Asked): Task<UsualBatch> {
  const task =
    recipe.objective === "contrastive" ? byContrast(clip, dataset, recipe) : underHead(clip, dataset, head, recipe);
  return task as Task<UsualBatch>; // its objective is fed its own batches
}

type Asked = Rounds & Pick<Recipe, "modules" | "objective" | "train" | "temperature">;

/** Cross-entropy of labelled images under a frozen head [C, E] (scale included); the image tower learns, or a part of it. */
export function underHead(
  clip: Clip,
  dataset: Dataset,
  head: Tensor,
  recipe: Rounds & Pick<Recipe, "modules">,
): Task<LabelBatch> {
  const objective = classification(clip.config, clip.preprocess, head);
  return {
    objective: learningPart(objective, clip.config, recipe.modules),
    batches: rounds(clip, dataset, recipe, labelled),
    steps: stepsOf(dataset, recipe),
  };
}

/**
 * The model's own loss over image-caption pairs; both towers learn, or the image tower alone. Every other pair of a batch is a negative, so
 * a batch is one step, whole: what remains of a round is left out of it. Images of one class (of one caption where there are no labels) are
 * not each other's negatives, unless all pairs are of one. Throws `bad-input` on an image without a caption, and on less than a batch.
 */
export function byContrast(
  clip: Clip,
  dataset: Dataset,
  recipe: Rounds & Pick<Recipe, "modules" | "train" | "temperature">,
): Task<CaptionBatch> {
  const { batch, epochs, modules, train, temperature } = recipe;
  checkBatch(dataset, batch);
  const isSigned = clip.config.vision.kind === "siglip"; // its scale begins above CLIP's limit
  return {
    objective: learningPart(
      contrastive(clip.config, clip.preprocess, { towers: train, temperature }),
      clip.config,
      modules,
    ),
    batches: rounds(clip, dataset, recipe, (images, order) => captioned(clip, images, { ...order, whole: true })),
    steps: epochs * Math.floor(dataset.size / batch),
    ...(temperature !== "frozen" && !isSigned && { constrain: clampLogitScale }),
  };
}

/** Throws `bad-input` on less than a contrastive batch. */
export function checkBatch({ name, size }: Dataset, batch: number): void {
  if (size < batch)
    throw badInput(
      `${name}: a contrastive batch is never cut, and of ${size} pairs there are none of ${batch}; bring more images, or take --batch ${size}`,
    );
}

/** Images that come more than once are kept. */
function rounds<Batch>(
  { preprocess }: Clip,
  dataset: Dataset,
  { epochs, batch, seed }: Rounds,
  read: (images: Dataset, order: BatchOptions) => AsyncIterable<Batch>,
): Task<Batch>["batches"] {
  const images = epochs > 1 ? cached(dataset, preprocess) : dataset;
  return (from) => read(images, { batch, epochs, seed, preprocess, skip: from });
}

/** Of an objective the part that learns; what lies before it stays as it is, and so do the running statistics of batch normalisation. */
function learningPart<Batch>(
  objective: Objective<Batch>,
  config: ClipConfig,
  modules: Recipe["modules"] = "all",
): Objective<Batch> {
  if (modules === "all" || modules === "lora") return objective; // low-rank factors stand beside all of it
  const { feeds, loss } = objective;
  return { trains: partOf(config, modules), feeds, loss: (p, nodes) => loss(p, nodes) };
}

/** Does this parameter of the image tower learn, or the factors beside it? */
export function partOf({ vision }: ClipConfig, modules: Recipe["modules"] = "all"): (name: string) => boolean {
  if (modules === "all" || modules === "lora") return isVision;
  return modules === "projection" ? isProjection : isLastBlock("layers" in vision ? Number(vision.layers) : 0);
}

/** Batches of labelled images. Throws `bad-input` where one has no label. */
export async function* labelled(dataset: Dataset, order: BatchOptions): AsyncGenerator<LabelBatch> {
  for await (const { pixels, labels, ids } of batches(dataset, order)) {
    if (labels === undefined) throw badInput(`${dataset.name}: an image among ${ids[0]}, ... has no label`);
    yield { pixels, labels };
  }
}

async function* captioned(
  { tokenize, config }: Clip,
  dataset: Dataset,
  order: BatchOptions,
): AsyncGenerator<CaptionBatch> {
  const isMixed = hasSeveralClasses(dataset);
  for await (const { pixels, labels, captions, ids } of batches(dataset, order)) {
    if (captions === undefined) throw badInput(`${dataset.name}: an image among ${ids[0]}, ... has no caption`);
    const text = tokenBatch(captions.map(tokenize), config.text);
    const mask = isMixed && falseNegatives(labels === undefined ? captions : [...labels]);
    yield { pixels, text, captions, ...(mask && { mask }) };
  }
}

/** Of one class alone, as a forget set is, nothing would be left to tell a pair from. */
function hasSeveralClasses(dataset: Dataset): boolean {
  const { label } = dataset.example(0);
  for (let i = 1; i < dataset.size; i++) if (label === undefined || dataset.example(i).label !== label) return true;
  return false;
}

/** Two data sets of the same size side by side, row by row: each batch has the pixels of both, in one order. */
export function zipped(
  clip: Clip,
  datasets: readonly [Dataset, Dataset],
  recipe: Rounds,
): Pick<Task<{ readonly pixels: readonly [Tensor, Tensor] }>, "batches" | "steps"> {
  const [first, second] = datasets;
  if (first.size !== second.size) throw new RangeError(`${first.size} images beside ${second.size}`);
  const [a, b] = datasets.map((dataset) => rounds(clip, dataset, recipe, batches));
  return {
    async *batches(from) {
      const others = b(from)[Symbol.asyncIterator]();
      for await (const { pixels } of a(from)) yield { pixels: [pixels, (await others.next()).value.pixels] };
    },
    steps: stepsOf(first, recipe),
  };
}
