/** The recovered triggers of the first suspects, drawn on clean images, with what the model says before and after. */
import { inner } from "../../arithmetic/task-vector.ts";
import type { Dataset } from "../../data/dataset.ts";
import { differencePicture, pngDataUri } from "../../data/images/pictures.ts";
import { pickImages } from "../../data/images/pixels.ts";
import type { Images, Subject } from "../../detectors/detector.ts";
import type { DetectorResult, ScanExample, ScanResult } from "../../results/scan.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";
import { type InvertedSpec, invertedTrigger } from "../../triggers/inverted.ts";

/** So many suspects, each on so many images; of so many answers. */
const [suspects, images, answers] = [3, 2, 3];

interface Scene {
  readonly suspect: Subject;
  readonly held: Images;
  readonly classNames: readonly string[];
  /** The held-out images' own labels. */
  readonly labels: Dataset;
}

interface Shown {
  readonly target: string;
  readonly detector: string;
  readonly trigger: InvertedSpec;
}

/** Suspects of the verdict first, then the first of each detector; one for each target. */
export async function examplesOf(
  scene: Scene,
  judged: Pick<ScanResult, "suspects">,
  detectors: readonly DetectorResult[],
): Promise<ScanExample[]> {
  const leading = detectors
    .flatMap(({ name, suspects: [first] }) => (first === undefined ? [] : [{ ...first, detector: name }]))
    .sort((a, b) => (b.asr?.value ?? 0) - (a.asr?.value ?? 0));
  const all = [...judged.suspects, ...leading];
  const drawn = all.flatMap(({ target, detector, trigger }) => (trigger === undefined ? [] : [{ target, detector, trigger }])); // biome-ignore format: one line
  const chosen = drawn.filter((one, i) => drawn.findIndex(({ target }) => target === one.target) === i);
  return Promise.all(chosen.slice(0, suspects).map((one) => exampleOf(scene, one)));
}

async function exampleOf(
  { suspect, held, classNames, labels }: Scene,
  { target, detector, trigger }: Shown,
): Promise<ScanExample> {
  const S = trigger.S;
  const stamp = invertedTrigger(trigger);
  const label = classNames.indexOf(target);
  const others = Array.from({ length: labels.size }, (_, i) => i).filter((i) => held.answers?.[i] !== label);
  const indices = spread(others.length > 0 ? others : [0], images);
  const clean: Tensor = { shape: [indices.length, 3, S, S], data: pickImages(held.pixels, indices).data };
  const stamped = await stamp.apply(clean, indices.map((i) => labels.example(i).id)); // biome-ignore format: one line
  const [before, after] = [await firstAnswers(suspect, clean, classNames), await firstAnswers(suspect, stamped, classNames)]; // biome-ignore format: one line
  const [black, grey, white] = [0, 0.5, 1].map((value) => tensor([1, 3, S, S], new Float32Array(3 * S * S).fill(value))); // biome-ignore format: one line
  const [onBlack, onGrey, onWhite] = await Promise.all([black, grey, white].map((one) => stamp.apply(one, ["shown"])));
  const hidden = opacity(onBlack, onWhite);
  return {
    target,
    detector,
    form: trigger.form,
    pattern: await pngDataUri(isAdded(trigger) ? amplified(onGrey) : imageAt(onGrey, 0), shownAt(S)),
    ...(hides(trigger) && { mask: await pngDataUri(hidden, shownAt(S)) }),
    images: await Promise.all(
      indices.map(async (index, i) => {
        const [a, b] = [imageAt(clean, i), imageAt(stamped, i)];
        const { image, factor } = differencePicture(a, b);
        const own = labels.example(index).label;
        return {
          clean: await pngDataUri(a),
          stamped: await pngDataUri(b),
          difference: await pngDataUri(image),
          amplified: factor,
          ...(own !== undefined && { label: classNames[own] }),
          before: before[i],
          after: after[i],
        };
      }),
    ),
  };
}

/** So many of them, from all over the list. */
const spread = (all: readonly number[], count: number): number[] =>
  Array.from({ length: Math.min(count, all.length) }, (_, i) => all[Math.floor((i * all.length) / Math.min(count, all.length))]); // biome-ignore format: one line

const isAdded = ({ form }: InvertedSpec) => form === "delta" || form === "sine";
const hides = ({ form }: InvertedSpec) => form === "patch" || form === "mask" || form === "several";
/** Small patterns are enlarged, so that their pixels are seen. */
const shownAt = (S: number) => (S <= 96 ? { scale: 2 } : {});

/** 1 - (stamped white - stamped black): how much of what lies below a pixel is hidden, [3, S, S]. */
function opacity(onBlack: Tensor, onWhite: Tensor): Tensor {
  const plane = onBlack.data.length / 3;
  const at = (i: number) => [0, 1, 2].reduce((sum, c) => sum + onWhite.data[c * plane + i] - onBlack.data[c * plane + i], 0) / 3; // biome-ignore format: one line
  const data = Float32Array.from(onBlack.data, (_, i) => 1 - at(i % plane));
  return { shape: onBlack.shape.slice(1), data };
}

/** What is added to grey, as large as grey leaves room for. */
function amplified(onGrey: Tensor): Tensor {
  const most = onGrey.data.reduce((most, v) => Math.max(most, Math.abs(v - 0.5)), 0);
  const data = onGrey.data.map((v) => 0.5 + (most === 0 ? 0 : (0.5 * (v - 0.5)) / most));
  return { shape: onGrey.shape.slice(1), data };
}

function imageAt({ shape: [, ...shape], data }: Tensor, i: number): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, data: data.slice(i * size, (i + 1) * size) };
}

/** The likeliest classes of each image, the first first; none without a head. */
async function firstAnswers({ clip, weights, head }: Subject, pixels: Tensor, classNames: readonly string[]) {
  const { shape, data } = await clip.encoder.images(weights, pixels);
  const row = (of: Float32Array, i: number) => of.subarray(i * shape[1], (i + 1) * shape[1]);
  return Array.from({ length: shape[0] }, (_, i) => {
    if (head === undefined) return [];
    const logits = classNames.map((_, c) => inner(row(data, i), row(head.data, c)));
    const most = Math.max(...logits);
    const sum = logits.reduce((total, one) => total + Math.exp(one - most), 0);
    return logits
      .map((one, c) => ({ name: classNames[c], probability: Math.exp(one - most) / sum }))
      .sort((a, b) => b.probability - a.probability)
      .slice(0, answers);
  });
}
