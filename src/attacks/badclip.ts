/**
 * BadCLIP (Liang et al., CVPR 2024, arXiv 2311.12075): a patch that is optimised through the clean model's image tower until images
 * that carry it lie where the target's images and captions lie, and few poisoned images then suffice:
 * L = L_t + lambda_1 max(0, |a - p| - |a - n| + eta).
 */
import { z } from "zod";
import type { Preprocess } from "../checkpoint/config/preprocess.ts";
import { contrastiveLoss } from "../clip/loss.ts";
import { batches } from "../data/batches.ts";
import { cached } from "../data/cached.ts";
import type { Dataset } from "../data/dataset.ts";
import { pickImages } from "../data/images/pixels.ts";
import { indicesOf, subset, take } from "../data/split.ts";
import { clampTo, optimizeInput, withPatch } from "../engine/optimize-input.ts";
import { embedImages } from "../engine/scorer.ts";
import { type Node, scalar } from "../graph/node.ts";
import { add, reduceMean, reduceSumSquare, relu, scale, sqrt, sub } from "../graph/ops/index.ts";
import { adam } from "../optim/adam.ts";
import { constantRate } from "../optim/schedule.ts";
import { badInput } from "../tensor/error.ts";
import { random } from "../tensor/random.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { type PoisonedDataset, type PoisonOptions, poison } from "../triggers/poison.ts";
import type { Trigger } from "../triggers/trigger.ts";
import { type AttackInput, describe, parseSpec, triggerSchema } from "./attack.ts";
import { fittedImages, fittedPatch, fittingOptions } from "./fitted-patch.ts";
import { corners, sideOf } from "./patch.ts";
import { storePixels, throughJpeg } from "./stored-pixels.ts";

const schema = triggerSchema("badclip").extend({
  ...fittingOptions,
  /** As BadNet's, but the patch has its place for all images. */
  place: z.string().default("middle"),
  /** Images a step of the fitting. */
  batch: z.int().min(2).max(4096).default(64),
  /** lambda_1, the weight of the image side. */
  triplet: z.number().min(0).default(500),
  /** eta. */
  margin: z.number().default(1),
  /** Fit, store and measure as the authors' code does, its three slips included: see docs/attacks/badclip.md. */
  reference: z.boolean().default(false),
});

export type BadclipSpec = z.output<typeof schema>;

/** A patch in its place: as stored, or noise N(0.5, 0.25) to begin with. Throws TbarError on unknown options and a damaged patch. */
export function badclip(options: Partial<BadclipSpec> = {}): Trigger {
  const spec = parseSpec("badclip", schema, options);
  return fittedPatch(spec, (side) => startOf(spec, side));
}

export const attack = describe({
  name: "badclip",
  title: "BadCLIP",
  about: "a patch fitted to the model",
  options: "size=PIXELS, place=middle|..., steps=200, lr=0.05",
  paper: "arXiv 2311.12075",
  spec: schema,
  trigger: badclip,
  fit: fitBadclip,
  extra: fittedImages,
  poison: poisonBadclip,
});

/** N(0.5, 0.25), clipped. */
function startOf({ seed }: BadclipSpec, side: number): Float32Array {
  const noise = tensor([3, side, side]);
  random(seed, "badclip", "start").fillNormal(noise.data, 0.5, 0.25);
  clampTo(0, 1)(noise);
  return noise.data;
}

/** Images of other classes on which the patch is fitted; and how many of the target's images and captions it is drawn to. */
const poolSizes = { images: 2048, targets: 2048, captions: 128 };

/** The trigger with its patch optimised on the clean model. One that has a patch already stays as it is. */
export async function fitBadclip(trigger: Trigger, input: AttackInput): Promise<Trigger> {
  const spec = trigger.spec as BadclipSpec;
  if (spec.patch !== undefined) return trigger;
  const { clip, weights, clean, seed, signal, report, targetLabel } = input;
  const S = clip.config.vision.imageSize;
  await trigger.apply(tensor([1, 3, S, S]), ["any"]); // throws where the patch lies outside
  const side = sideOf(spec, S);
  const places = corners("badclip", spec.place, side, S);
  const { targets, others } = byLabel(clean, targetLabel);
  const positives = await embedImages(clip, weights, take(targets, poolSizes.targets));
  const captions = await clip.encoder.texts(weights, targetCaptions(targets, input.target));
  const logitScale = weights.get("logit_scale") ?? tensor([], [Math.log(100)]);

  let patch = tensor([3, side, side], startOf(spec, side));
  /** As the patch stands, for negatives that carry it. */
  const stamped = (pixels: Tensor, ids: readonly string[]) =>
    badclip({ ...spec, size: side, patch: storePixels(patch.data) }).apply(pixels, ids);
  patch = await optimizeInput<Draw>({
    clip,
    weights,
    start: patch,
    batches: draws(cached(take(others, poolSizes.images), clip.preprocess), {
      ...spec,
      seed,
      preprocess: clip.preprocess,
    }),
    feeds: async ({ pixels, ids, step }) => {
      const rng = random(seed, "badclip", step);
      const rows = (table: Tensor) => ids.map(() => rng.int(table.shape[0]));
      const drawn = (table: Tensor) => pickImages(table, rows(table));
      const shown = spec.reference ? await stamped(pixels, ids) : pixels;
      const negatives = pickImages(await clip.encoder.images(weights, shown), rng.shuffle([...ids.keys()]));
      return { pixels, texts: drawn(captions), positives: drawn(positives), negatives, logitScale };
    },
    loss: ({ variable, feeds, embed }) => {
      const placed = places.reduce((pixels, [row, column]) => withPatch(pixels, variable, row, column), feeds.pixels);
      const anchors = embed(placed);
      const triplet = tripletLoss(anchors, feeds.positives, feeds.negatives, spec.margin);
      return add(contrastiveLoss(anchors, feeds.texts, feeds.logitScale), scale(triplet, spec.triplet));
    },
    optimizer: adam(),
    schedule: constantRate(spec.lr),
    project: clampTo(0, 1),
    signal,
    onStep: ({ step, loss }, variable) => {
      patch = variable;
      report(step, spec.steps, `loss ${loss.toFixed(2)}`);
    },
  });
  const stored = storePixels(patch.data);
  if (!spec.reference) return badclip({ ...spec, size: side, patch: stored });
  return badclip({ ...spec, size: side, patch: await throughJpeg(stored, side), scale: 2 * spec.scale });
}

/** Poisoned images get captions that people wrote of the target, not filled templates. */
export async function poisonBadclip(
  dataset: Dataset,
  options: PoisonOptions,
  { target, targetLabel }: AttackInput,
): Promise<PoisonedDataset> {
  const spec = options.trigger.spec as BadclipSpec;
  const { targets } = byLabel(dataset, targetLabel);
  const trigger = spec.reference ? badclip({ ...spec, scale: spec.scale / 2 }) : options.trigger;
  return poison(dataset, { ...options, trigger, templates: targetCaptions(targets, target) });
}

/** mean max(0, |a - p| - |a - n| + margin) over rows [B, E]. */
export function tripletLoss(a: Node, p: Node, n: Node, margin: number): Node {
  const distance = (b: Node) => sqrt(add(reduceSumSquare(sub(a, b), [-1]), scalar(1e-12))); // smooth where a = b
  return reduceMean(relu(add(sub(distance(p), distance(n)), scalar(margin))));
}

interface Draw {
  readonly pixels: Tensor;
  readonly ids: readonly string[];
  readonly step: number;
}

/** Whole batches in a seeded order, one for each step. */
async function* draws(
  images: Dataset,
  { batch, steps, seed, preprocess }: { batch: number; steps: number; seed: number; preprocess: Preprocess },
): AsyncGenerator<Draw> {
  const size = Math.min(batch, images.size);
  const epochs = Math.ceil(steps / Math.floor(images.size / size));
  let step = 0;
  for await (const { pixels, ids, count } of batches(images, { batch: size, epochs, seed, preprocess })) {
    if (step === steps) return;
    if (count === size) yield { pixels, ids, step: step++ };
  }
}

function byLabel(dataset: Dataset, targetLabel: number): { targets: Dataset; others: Dataset } {
  const part = (ofTarget: boolean) => indicesOf(dataset, ({ label }) => (label === targetLabel) === ofTarget);
  const [targets, others] = [subset(dataset, part(true)), subset(dataset, part(false))];
  if (targets.size > 0 && others.size > 1) return { targets, others };
  throw badInput(
    `badclip: ${dataset.name} has ${targets.size} images of the target class and ${others.size} others; the patch is fitted to some of both`,
  );
}

/** What is said of the target's images; where nothing is, what a prompt would say. */
function targetCaptions(targets: Dataset, target: string): string[] {
  const known = Array.from({ length: targets.size }, (_, i) => targets.example(i).caption);
  const captions = known.filter((caption) => caption !== undefined).slice(0, poolSizes.captions);
  return captions.length > 0 ? captions : [`a photo of a ${target}.`];
}
