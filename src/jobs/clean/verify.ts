/** Checks beyond CA and ASR: do variations of the trigger still work, is the rest of the model whole, does the backdoor recover? */
import { makeTrigger } from "../../attacks/index.ts";
import type { Dataset } from "../../data/dataset.ts";
import { changedSquare, crop } from "../../data/images/inset.ts";
import { differencePicture, pngDataUri } from "../../data/images/pictures.ts";
import { withCaptions } from "../../data/relabel.ts";
import { subset, take } from "../../data/split.ts";
import { finetune } from "../../engine/finetune.ts";
import { headFor } from "../../engine/live-head.ts";
import { createScorer } from "../../engine/scorer.ts";
import { usualTask } from "../../engine/tasks.ts";
import { measure } from "../../metrics/accuracy.ts";
import { metrics } from "../../metrics/index.ts";
import type { ExamplePicture, Proof } from "../../results/clean.ts";
import type { Rate } from "../../stats/rate.ts";
import type { Tensor, Weights } from "../../tensor/tensor.ts";
import { tensor } from "../../tensor/tensor.ts";
import { triggered } from "../../triggers/poison.ts";
import { larger, moved, type TriggerSpec, weaker } from "../../triggers/trigger.ts";
import type { Context } from "../context.ts";
import type { Bench } from "./bench.ts";
import type { Control } from "./control.ts";
import type { CleanSpec } from "./spec.ts";
import { recoveryBatch } from "./stages.ts";

/** What the proof says of a clean control model. */
export const comparedWith = (control?: Control): Partial<Proof> =>
  control === undefined ? {} : { floor: control.floor, ...(control.reading && { control: control.reading }) };

/** `control`: what a clean control model makes of the test images. */
export async function verify(
  bench: Bench,
  spec: CleanSpec,
  context: Context,
  { after, control }: { readonly after: Weights; readonly control?: Control },
): Promise<Proof> {
  const { clip } = bench;
  const { checks } = spec;
  const compared = comparedWith(control);
  const both = async (of: (weights: Weights) => Promise<Rate>) => ({
    before: await of(clip.weights),
    after: await of(after),
  });
  const shifted: Proof["shifted"][number][] = [];
  for (const [what, dataset] of variations(bench, checks, context)) {
    const hits = bench.attackMetric(dataset);
    shifted.push({ what, ...(await both((weights) => measure(hits, weights))) });
  }
  if (checks === 0) return { ...compared, shifted };
  const unseen = classesOf(bench.test, bench.heldOut);
  const images = take(bench.test, checks);
  const further = metrics.filter(
    (one) => !one.onlyAsked && one.size(images) > 0 && (!one.ofPairs || bench.recipe.objective === "contrastive"),
  );
  const input = { clip, images, signal: context.signal };
  const figures: [string, NonNullable<Proof["further"]>[string]][] = [];
  for (const { name, title, about, measure } of further)
    figures.push([
      name,
      {
        title,
        about,
        ...(await both(async (weights) => measure({ ...input, weights, head: await headFor(bench.asked, weights) }))),
      },
    ]);
  const clean = bench.cleanMetric(unseen);
  return {
    ...compared,
    shifted,
    ...(unseen.size > 0 && { unseenClasses: await both((weights) => measure(clean, weights)) }),
    ...(figures.length > 0 && { further: Object.fromEntries(figures) }),
    ...Object.fromEntries(figures.filter(([name]) => name === "retrieval")), // as results of 0.1.0 have it
    ...(spec.recovery > 0 && bench.labels === "given" && { rebound: await recoveryOf(bench, spec, context, after) }),
  };
}

/** The trigger moved, enlarged, weakened, on test images. Of unknown triggers, recovered ones, and a function of the caller's own there are none. */
function variations({ threat, attack }: Bench, count: number, context: Context): [string, Dataset][] {
  const { trigger, target } = threat;
  const { testClean } = attack;
  const none = context.trigger !== undefined || trigger?.spec.kind === "inverted";
  if (trigger === undefined || none || testClean === undefined || count === 0) return [];
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
  const kept = indices.filter((i) => labels.has(dataset.example(i).label as number));
  return subset(dataset, kept);
}

/** ASR and CA after further clean training with the recipe's learning rate: a backdoor that is only hidden comes back. */
async function recoveryOf(bench: Bench, spec: CleanSpec, context: Context, after: Weights): Promise<Proof["rebound"]> {
  const { progress, signal } = context;
  progress.stage("recovery");
  const { source } = bench;
  const asked = spec.recovery * recoveryBatch;
  // a world without end has images that nothing was chosen on
  const { rebound } = source.size === undefined ? await source.sets({ rebound: asked }) : { rebound: bench.clean };
  const images = take(rebound, asked);
  const epochs = Math.ceil(spec.recovery / Math.ceil(images.size / recoveryBatch));
  const recipe = { ...bench.recipe, epochs, batch: recoveryBatch };
  const pairs = withCaptions(images, source.templates, spec.seed);
  const trained = await finetune(bench.clip, after, usualTask(bench.clip, pairs, bench.head, recipe), recipe, {
    signal,
    onStep: ({ step }, total) => progress.step(step, total),
  });
  progress.stage("recovery: test");
  const asr = bench.attackMetric(take(bench.attack.test, spec.checks));
  const ca = bench.cleanMetric(take(bench.test, spec.checks));
  return {
    steps: epochs * Math.ceil(images.size / recoveryBatch),
    scores: { ca: await measure(ca, trained), asr: await measure(asr, trained) },
  };
}

/** A few test images with and without the trigger, and what the model says to the triggered one, before and after. */
export async function examplePictures(bench: Bench, after: Weights, count = 8) {
  const { attack, clip, asked, classNames } = bench;
  const size = clip.config.vision.imageSize;
  const images = take(attack.test, count);
  const indices = Array.from({ length: images.size }, (_, i) => i);
  const marked = await images.read(indices, clip.preprocess);
  const plain = attack.testClean === undefined ? marked : await attack.testClean.read(indices, clip.preprocess);
  const scorer = createScorer(clip, images, asked);
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
  const { trigger } = bench.threat;
  if (trigger === undefined) return { examples };
  const grey = tensor([1, 3, size, size], new Float32Array(3 * size * size).fill(0.5));
  return { examples, triggerPicture: await pngDataUri(imageAt(await trigger.apply(grey, ["trigger"]), 0)) };
}

function imageAt({ shape: [, ...shape], data }: Tensor, i: number): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, data: data.slice(i * size, (i + 1) * size) };
}
