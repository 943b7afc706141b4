/** Checks beyond CA and ASR: is the attack gone in other guises too, is the rest of the model whole, does the attack come back? */

import { makeTrigger } from "../../attacks/index.ts";
import type { Dataset } from "../../data/dataset.ts";
import { changedSquare, crop } from "../../data/images/inset.ts";
import { differencePicture, pngDataUri } from "../../data/images/pictures.ts";
import { subset, take } from "../../data/split.ts";
import { loadClip } from "../../engine/clip.ts";
import { finetune } from "../../engine/finetune.ts";
import { createScorer, embedImages } from "../../engine/scorer.ts";
import { zeroShotHead } from "../../engine/zero-shot.ts";
import { measure, metric } from "../../metrics/accuracy.ts";
import { recallAt1 } from "../../metrics/retrieval.ts";
import type { ExamplePicture, Proof } from "../../results/result.ts";
import type { Rate } from "../../stats/rate.ts";
import type { Tensor, Weights } from "../../tensor/tensor.ts";
import { tensor } from "../../tensor/tensor.ts";
import { triggered } from "../../triggers/poison.ts";
import { larger, moved, type TriggerSpec, weaker } from "../../triggers/trigger.ts";
import { reboundBatch } from "../progress/stages.ts";
import { silent } from "../record/facts.ts";
import type { CleanJob, CleanOptions } from "./clean.ts";
import type { CleanSetup } from "./clean-setup.ts";

const retrievalImages = 500;

export async function prove(bench: CleanSetup, options: CleanJob, after: Weights): Promise<Proof> {
  const { clip } = bench;
  const both = async (of: { readonly on: (weights: Weights) => Promise<Rate> }) => ({
    before: await of.on(clip.weights),
    after: await of.on(after),
  });
  const shifted: Proof["shifted"][number][] = [];
  for (const [what, dataset] of guises(bench, options.checks)) {
    const hits = bench.attackMetric(dataset);
    shifted.push({ what, ...(await both({ on: (weights) => measure(hits, weights) })) });
  }
  const unseen = classesOf(bench.test, bench.heldOut);
  const unseenClasses =
    options.checks > 0 && unseen.size > 0
      ? await both({ on: (w) => measure(bench.cleanMetric(unseen), w) })
      : undefined;
  const captioned = take(bench.test, Math.min(options.checks, retrievalImages));
  const retrieval =
    captioned.size > 0 && captioned.example(0).caption
      ? await both({ on: (w) => retrievalOf(bench, captioned, w, options.signal) })
      : undefined;
  const floor =
    options.untouched === undefined || options.checks === 0
      ? undefined
      : await floorOf(bench, options.untouched, options);
  const rebound =
    options.checks > 0 && options.reboundSteps > 0 && bench.labels === "given"
      ? await reboundOf(bench, options, after)
      : undefined;
  return {
    shifted,
    ...(floor && { floor }),
    ...(unseenClasses && { unseenClasses }),
    ...(retrieval && { retrieval }),
    ...(rebound && { rebound }),
  };
}

/** The trigger moved, enlarged, weakened, on test images. Unknown triggers have no guises. */
function guises({ trigger, attack, target }: CleanSetup, count: number): [string, Dataset][] {
  const { testClean } = attack;
  if (trigger === undefined || testClean === undefined || count === 0) return [];
  const images = take(testClean, count);
  const on = (spec: TriggerSpec) => triggered(images, makeTrigger(spec), target);
  return [
    ["moved", on(moved(trigger.spec))],
    ["25 % larger", on(larger(trigger.spec))],
    ["25 % weaker", on(weaker(trigger.spec))],
  ];
}

function classesOf(dataset: Dataset, labels: ReadonlySet<number>): Dataset {
  const indices = Array.from({ length: dataset.size }, (_, i) => i);
  return subset(
    dataset,
    indices.filter((i) => labels.has(dataset.example(i).label as number)),
  );
}

async function retrievalOf(
  { clip }: CleanSetup,
  dataset: Dataset,
  weights: Weights,
  signal: AbortSignal | undefined,
): Promise<Rate> {
  const captions = Array.from({ length: dataset.size }, (_, i) => dataset.example(i).caption ?? "");
  const images = await embedImages(clip, weights, dataset, { signal });
  return recallAt1(images, await clip.encoder.texts(weights, captions), captions);
}

async function floorOf(bench: CleanSetup, path: string, options: CleanOptions): Promise<Rate> {
  const { activation, ignoreTensors } = options;
  const untouched = await loadClip(path, { runtime: bench.clip.runtime, activation, ignoreTensors });
  const { templates } = bench.source;
  const head = await zeroShotHead(untouched.encoder, untouched.weights, bench.classNames, templates, options.signal);
  const images = take(bench.attack.test, options.checks);
  const hits = metric(
    createScorer(untouched, images, head, options),
    new Int32Array(images.size).fill(bench.targetLabel),
  );
  return measure(hits, untouched.weights);
}

/** ASR and CA after further clean training with the recipe's learning rate: a backdoor that is only hidden comes back. */
async function reboundOf(bench: CleanSetup, options: CleanJob, after: Weights): Promise<Proof["rebound"]> {
  const { progress = silent, signal, reboundSteps: steps } = options;
  progress.stage("rebound");
  const { source } = bench;
  const wanted = steps * reboundBatch;
  const { rebound } = source.size === undefined ? await source.sets({ rebound: wanted }) : { rebound: bench.clean };
  const images = take(rebound, wanted);
  const epochs = Math.ceil(steps / Math.ceil(images.size / reboundBatch));
  const recipe = { ...options.recipe, epochs, batch: reboundBatch };
  const trained = await finetune(bench.clip, after, images, bench.head, recipe, {
    signal,
    onStep: ({ step }, total) => progress.step(step, total),
  });
  progress.stage("rebound: test");
  const asr = bench.attackMetric(take(bench.attack.test, options.checks));
  const ca = bench.cleanMetric(take(bench.test, options.checks));
  return {
    steps: epochs * Math.ceil(images.size / reboundBatch),
    scores: { ca: await measure(ca, trained), asr: await measure(asr, trained) },
  };
}

/** A few test images with and without the trigger, and what the model says to the triggered one, before and after. */
export async function examplePictures(bench: CleanSetup, after: Weights, count = 8) {
  const { attack, clip, head, classNames } = bench;
  const size = clip.config.vision.imageSize;
  const images = take(attack.test, count);
  const indices = Array.from({ length: images.size }, (_, i) => i);
  const marked = await images.read(indices, clip.preprocess);
  const plain = attack.testClean === undefined ? marked : await attack.testClean.read(indices, clip.preprocess);
  const scorer = createScorer(clip, images, head);
  const [before, now] = [await scorer.answers(clip.weights), await scorer.answers(after)];
  const examples: ExamplePicture[] = [];
  for (const i of indices) {
    const [clean, stamped] = [imageAt(plain, i), imageAt(marked, i)];
    const label = attack.testClean?.example(i).label;
    const { image: difference, factor } = differencePicture(clean, stamped);
    const square = changedSquare(clean, stamped);
    examples.push({
      clean: await pngDataUri(clean),
      triggered: await pngDataUri(stamped),
      difference: await pngDataUri(difference),
      amplified: factor,
      ...(square && {
        inset: {
          ...square,
          of: size,
          clean: await pngDataUri(crop(clean, square)),
          triggered: await pngDataUri(crop(stamped, square)),
        },
      }),
      ...(label !== undefined && { label: classNames[label] }),
      before: classNames[before[i]],
      after: classNames[now[i]],
    });
  }
  const { trigger } = bench;
  if (trigger === undefined) return { examples };
  const grey = tensor([1, 3, size, size], new Float32Array(3 * size * size).fill(0.5));
  return { examples, triggerPicture: await pngDataUri(imageAt(await trigger.apply(grey, ["trigger"]), 0)) };
}

function imageAt({ shape: [, ...shape], data }: Tensor, i: number): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, data: data.slice(i * size, (i + 1) * size) };
}
