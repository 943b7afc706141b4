/** Embeddings of a whole data set, and of texts, in a safetensors file. */
import { writeSafetensors } from "../../checkpoint/formats/safetensors.ts";
import { batches } from "../../data/batches.ts";
import { type Encoding, readText } from "../../data/formats/text.ts";
import { type OpenedDataset, openDataset } from "../../data/open.ts";
import { take } from "../../data/split.ts";
import { concatRows } from "../../engine/encoder.ts";
import { made } from "../../results/base.ts";
import type { EmbedResult } from "../../results/embed.ts";
import { badInput } from "../../tensor/error.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Context } from "../context.ts";
import { checkTexts } from "../inputs/classes.ts";
import { openedData, openedModel } from "../inputs/describe-opened.ts";
import { dataPath } from "../inputs/names.ts";
import { openClip } from "../inputs/open-clip.ts";
import { openSource } from "../inputs/source.ts";
import { Clock, checkpointFacts, machineFacts } from "../record/facts.ts";
import type { EmbedSpec as Spec } from "./spec.ts";

/** Texts, images and model, checked; no pixel is read. */
export async function openEmbed(spec: Spec, context: Context) {
  const texts = spec.texts === undefined ? [] : await linesOf(spec.texts, spec.encoding);
  const dataset = await imagesOf(spec);
  const clip = await openClip(spec, context);
  const data = openedData(dataset, dataset.skipped.length);
  context.progress.opened?.({ models: [openedModel(clip.checkpoint)], data: { data } });
  return { texts, dataset, clip };
}

/**
 * Unit-norm embeddings: tensors `images` [N, E] in the order of the data, and `texts` [M, E] in that of the file. Metadata, as
 * JSON: `ids`, `labels` (null where there is none), `classes`, `texts`; and the model's SHA-256.
 */
export async function embed(spec: Spec, context: Context): Promise<EmbedResult> {
  const { progress, signal, command, set } = context;
  const { out, force, threads } = spec;
  if (out === undefined) throw badInput("out is missing: where shall the embeddings go?");
  const clock = new Clock();
  progress.stage("load");
  const { texts, dataset, clip } = await openEmbed(spec, context);
  const model = await checkpointFacts(clip.checkpoint);

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
  const tensor = (name: string, values: Tensor) => ({ name, dtype: "F32" as const, shape: values.shape, data: () => values }); // biome-ignore format: one line
  const tensors = [tensor("images", images), ...(encoded === undefined ? [] : [tensor("texts", encoded)])];
  await writeSafetensors(out, { tensors, metadata }, { force, set });
  return {
    ...made("embed", 2, command),
    model,
    data: dataset.name,
    images: dataset.size,
    texts: texts.length,
    width: images.shape[1],
    ...(warnings.length > 0 && { warnings }),
    output: { path: out },
    seconds: clock.seconds(),
    machine: machineFacts(clip.runtime, threads),
  };
}

/** All images of a path in their own order, or as many of the world as asked for. */
async function imagesOf({ data, images, seed, skipBad, encoding }: Spec): Promise<OpenedDataset> {
  if (/^shapes(:|$)/.test(data)) {
    const { test } = await (await openSource(data, { seed })).sets({ test: images ?? 1000 });
    return { ...test, skipped: [] };
  }
  const dataset = await openDataset(dataPath(data), { skipBad, split: "train", encoding });
  const { contents, skipped } = dataset;
  return images === undefined ? dataset : { ...take(dataset, images), contents, skipped };
}

async function linesOf(path: string, encoding?: Encoding): Promise<string[]> {
  const lines = (await readText(path, { encoding })).split(/\r?\n/);
  const texts = lines.filter((line) => line.trim() !== "");
  if (texts.length === 0) throw badInput(`${path} is empty; expected one text a line`);
  return texts;
}
