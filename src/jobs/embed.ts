/** Embeddings of a whole data set, and of texts, in a safetensors file. */

import { writeSafetensors } from "../checkpoint/formats/safetensors.ts";
import { batches } from "../data/batches.ts";
import { type Encoding, readText } from "../data/formats/text.ts";
import type { OpenedDataset } from "../data/open.ts";
import { take } from "../data/split.ts";
import { loadClip } from "../engine/clip.ts";
import { concatRows } from "../engine/encoder.ts";
import { refuseExisting } from "../files/atomic.ts";
import { writeTogether } from "../files/output-set.ts";
import { version } from "../files/version.ts";
import type { CheckpointFacts, Machine } from "../results/result.ts";
import type { Device } from "../runtime/onnxruntime.ts";
import { badInput } from "../tensor/error.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { checkTexts } from "./inputs/classes.ts";
import { openedData, openedModel } from "./inputs/describe-opened.ts";
import { openSource } from "./inputs/source.ts";
import { Clock, checkpointFacts, type JobOptions, machineFacts, silent } from "./record/facts.ts";

export interface EmbedOptions extends JobOptions {
  readonly model: string;
  readonly data: string;
  /** A text file, one text a line. */
  readonly texts?: string;
  readonly out: string;
  readonly force?: boolean;
  /** The first images only; the world has 1,000 unless told. */
  readonly images?: number;
  readonly skipBad?: boolean;
  /** What tables, captions and the texts are written in, where that is not UTF-8. */
  readonly encoding?: Encoding;
  readonly device?: Device;
  readonly threads?: number;
  readonly command?: string;
}

export interface EmbedResult {
  readonly kind: "embed";
  readonly tbar: string;
  readonly created: string;
  readonly command: string;
  readonly model: CheckpointFacts;
  readonly data: string;
  readonly images: number;
  readonly texts: number;
  /** Values of one embedding. */
  readonly width: number;
  /** Words of the texts that the model does not know. */
  readonly warnings?: readonly string[];
  readonly output: { readonly path: string };
  readonly seconds: number;
  readonly machine: Machine;
}

/**
 * Unit-norm embeddings: tensor `images` [N, E] in the order of the data, and `texts` [M, E] in that of the file. Metadata, as
 * JSON: `ids`, `labels` (null where there is none), `classes`, `texts`; and the model's SHA-256.
 */
export function embedDataset(options: EmbedOptions): Promise<EmbedResult> {
  return writeTogether("embed", options, embedAndWrite);
}

async function embedAndWrite(options: EmbedOptions): Promise<EmbedResult> {
  const { out, signal, progress = silent } = options;
  await refuseExisting(out, options);
  const clock = new Clock();
  progress.stage("load");
  const texts = options.texts === undefined ? [] : await linesOf(options.texts, options.encoding);
  const dataset = await imagesOf(options);
  const clip = await loadClip(options.model, options);
  const model = await checkpointFacts(clip.checkpoint);
  progress.opened?.({
    models: [openedModel(clip.checkpoint)],
    data: { data: openedData(dataset, dataset.skipped.length) },
  });

  progress.plan?.([{ what: "embed", measures: true, encoded: dataset.size }]);
  progress.stage("embed");
  const parts: Tensor[] = [];
  let done = 0;
  for await (const { pixels, count } of batches(dataset, { batch: 64, preprocess: clip.preprocess })) {
    signal?.throwIfAborted();
    parts.push(await clip.encoder.images(clip.weights, pixels));
    progress.step((done += count), dataset.size);
  }
  const images = concatRows(parts);
  const warnings = checkTexts(clip.tokenize, texts);
  const encoded = texts.length === 0 ? undefined : await clip.encoder.texts(clip.weights, texts);

  progress.stage("write");
  const examples = Array.from({ length: dataset.size }, (_, i) => dataset.example(i));
  const metadata = new Map([
    ["tbar.kind", "embeddings"],
    ["tbar.model", model.sha256],
    ["ids", JSON.stringify(examples.map(({ id }) => id))],
    ["labels", JSON.stringify(examples.map(({ label }) => label ?? null))],
    ["classes", JSON.stringify(dataset.classNames ?? [])],
    ["texts", JSON.stringify(texts)],
  ]);
  const tensors = [
    { name: "images", dtype: "F32" as const, shape: images.shape, data: () => images },
    ...(encoded === undefined
      ? []
      : [{ name: "texts", dtype: "F32" as const, shape: encoded.shape, data: () => encoded }]),
  ];
  await writeSafetensors(out, { tensors, metadata }, options);
  const result: EmbedResult = {
    kind: "embed",
    tbar: version,
    created: new Date().toISOString(),
    command: options.command ?? "",
    model,
    data: dataset.name,
    images: dataset.size,
    texts: texts.length,
    width: images.shape[1],
    ...(warnings.length > 0 && { warnings }),
    output: { path: out },
    seconds: clock.seconds(),
    machine: machineFacts(clip.runtime, options.threads),
  };
  await clip.runtime.release();
  return result;
}

/** All images of a path in their own order, or as many of the world as asked for. */
export async function imagesOf({ data, images, seed, skipBad, encoding }: EmbedOptions): Promise<OpenedDataset> {
  if (/^shapes(:|$)/.test(data)) {
    const { test } = await (await openSource(data, { seed })).sets({ test: images ?? 1000 });
    return { ...test, skipped: [] };
  }
  const { openDataset } = await import("../data/open.ts");
  const dataset = await openDataset(data, { skipBad, split: "train", encoding });
  const { contents, skipped } = dataset;
  return images === undefined ? dataset : { ...take(dataset, images), contents, skipped };
}

async function linesOf(path: string, encoding?: Encoding): Promise<string[]> {
  const lines = (await readText(path, { encoding })).split(/\r?\n/);
  const texts = lines.filter((line) => line.trim() !== "");
  if (texts.length === 0) throw badInput(`${path} is empty; expected one text a line`);
  return texts;
}
