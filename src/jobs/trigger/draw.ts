/** A trigger before anybody's eyes: the same images clean and triggered, and what is different, amplified. */
import type { Preprocess } from "../../checkpoint/config/preprocess.ts";
import type { Dataset } from "../../data/dataset.ts";
import { galleryPng } from "../../data/images/gallery.ts";
import { pickImages } from "../../data/images/pixels.ts";
import type { TriggerView } from "../../results/trigger-view.ts";
import { badInput } from "../../tensor/error.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Trigger } from "../../triggers/trigger.ts";

/** The first `count` images of a data set, with the trigger and without: figures, and a PNG of three rows. */
export async function drawTrigger(
  dataset: Dataset,
  trigger: Trigger,
  { count, preprocess }: { readonly count: number; readonly preprocess: Preprocess },
): Promise<{ readonly view: TriggerView; readonly png: Uint8Array }> {
  const indices = Array.from({ length: Math.min(count, dataset.size) }, (_, i) => i);
  if (indices.length === 0) throw badInput(`${dataset.name} has no images to show the trigger on`);
  const size = preprocess.cropSize;
  const clean = await dataset.read(indices, preprocess);
  const ids = indices.map((i) => dataset.example(i).id);
  const triggered = await trigger.apply(clean, ids);
  const { change, factor, amplified } = difference(clean, triggered);
  const row = (name: string, images: Tensor) => ({
    name,
    images: indices.map((i) => ({ shape: [3, size, size], data: pickImages(images, [i]).data })),
  });
  const shown = row(`difference x ${factor}, grey where there is none`, amplified);
  const rows = [row("clean", clean), row("triggered", triggered), shown];
  const png = await galleryPng(rows, Math.max(1, Math.floor(192 / size)));
  const view = {
    trigger: trigger.spec,
    images: indices.length,
    size,
    changed: changedShare({ shape: clean.shape, data: change }),
    largest: change.reduce((most, v) => Math.max(most, Math.abs(v)), 0),
    mean: change.reduce((sum, v) => sum + Math.abs(v), 0) / change.length,
    factor,
  };
  return { view, png };
}

/** triggered - clean, and a picture of it: amplified, grey where there is none. */
export function difference({ shape, data }: Tensor, triggered: Tensor) {
  const change = triggered.data.map((v, i) => v - data[i]);
  const factor = amplification(change);
  return { change, factor, amplified: { shape, data: change.map((v) => 0.5 + factor * v) } };
}

/** The largest round factor, 1 or more, with which 99 % of the changes stay between black and white, around grey. */
function amplification(change: Float32Array): number {
  const sizes = change
    .map(Math.abs)
    .filter((v) => v > unseen)
    .sort();
  if (sizes.length === 0) return 1;
  const most = 0.5 / sizes[Math.floor(0.99 * (sizes.length - 1))];
  return [100, 50, 20, 10, 5, 2, 1].find((factor) => factor <= most) ?? 1;
}

/** Half an 8-bit level: a smaller change is none. */
const unseen = 0.5 / 255;

function changedShare({ shape: [count, , S], data }: Tensor): number {
  const plane = S * S;
  let changed = 0;
  for (let b = 0; b < count; b++) {
    for (let i = 0; i < plane; i++) {
      const at = 3 * b * plane + i;
      if ([0, plane, 2 * plane].some((c) => Math.abs(data[at + c]) > unseen)) changed++;
    }
  }
  return changed / (count * plane);
}
