/** Making a small CLIP from nothing: vocabulary from the captions, contrastive training, a Hugging Face folder with a card. */
import { rm } from "node:fs/promises";
import { type ClipConfig, checkConfig, parameterShapes } from "../../checkpoint/config/config.ts";
import { clipPreprocess } from "../../checkpoint/config/preprocess.ts";
import { newCheckpointNames, writeNewCheckpoint } from "../../checkpoint/new-checkpoint.ts";
import { asStored } from "../../checkpoint/rounding.ts";
import { loadTokenizer, wordsOf, wordTokenizer } from "../../clip/tokenizer.ts";
import type { Dataset } from "../../data/dataset.ts";
import { openDataset } from "../../data/open.ts";
import { concat } from "../../data/split.ts";
import { type Clip, createClip } from "../../engine/clip.ts";
import { pretrain as train } from "../../engine/pretrain.ts";
import { createScorer } from "../../engine/scorer.ts";
import { zeroShotHead } from "../../engine/zero-shot.ts";
import { refuseFolder } from "../../files/atomic.ts";
import { labelsOf, measure, metric } from "../../metrics/accuracy.ts";
import { made } from "../../results/base.ts";
import type { PretrainResult } from "../../results/pretrain.ts";
import { badInput } from "../../tensor/error.ts";
import { random } from "../../tensor/random.ts";
import { sizeOf, type Weights } from "../../tensor/tensor.ts";
import type { Context } from "../context.ts";
import { openedData } from "../inputs/describe-opened.ts";
import { asked, openSource, type Source } from "../inputs/source.ts";
import { Clock, computedOn, machineFacts } from "../record/facts.ts";
import { pretrainCard } from "./card.ts";
import type { PretrainSpec as Spec } from "./spec.ts";

/** Images to train and to test on, and captioned ones besides. Throws TbarError where there are too few. */
export async function openPretrain(spec: Spec, { progress }: Context) {
  const { captions, skipBad, encoding } = spec;
  const source = await openSource(spec.data, spec);
  const { train, test } = await setsOf(source, spec);
  const more = captions === undefined ? undefined : await openDataset(captions, { skipBad, encoding });
  progress.opened?.({ data: { ...source.opened(), ...(more && { captions: openedData(more, more.skipped.length) }) } });
  return { source, train, test, more };
}

/** Weights, moments and step while the run lasts. A run goes on from it. */
export const stateOf = ({ stateFile }: Spec, out: string) => stateFile ?? `${out}.state`;

/** Pre-train, write `out`, and measure zero-shot accuracy on images that training never saw, with the file as stored. */
export async function pretrain(spec: Spec, context: Context): Promise<PretrainResult> {
  const { progress, signal, command, set } = context;
  const { seed, steps, batch, dtype, threads, out, force } = spec;
  if (out === undefined) throw badInput("out is missing: where shall the checkpoint go?");
  await refuseFolder(out, newCheckpointNames, { force, set });
  const clock = new Clock();
  progress.stage("prepare");
  const { source, train: labelled, test, more } = await openPretrain(spec, context);
  const captioned = withCaptions(labelled, source.templates, seed);
  const dataset = more === undefined ? captioned : concat([captioned, more]);
  const words = source.vocabulary ?? wordsOf(captionsOf(dataset, source));
  const tokenizer = wordTokenizer(words);
  const config = configOf(spec, tokenizer);
  const preprocess = clipPreprocess(config.vision.imageSize);
  const tokenize = await loadTokenizer(tokenizer.json, config.text);
  const runtime = await context.runtime();
  const stateFile = stateOf(spec, out);

  progress.stage("pre-train");
  const began = clock.seconds();
  const { weights, seconds: training } = await train({
    ...spec,
    runtime,
    config,
    preprocess,
    tokenize,
    dataset,
    computedOn: computedOn(spec),
    stateFile,
    signal,
    onStep: ({ step, loss }) => progress.step(step, steps, `loss ${loss.toFixed(3)}`),
  });

  const earlier = Math.max(0, training - (clock.seconds() - began)); // of a run that this one goes on from

  progress.stage("measure and write");
  const clip = createClip({ config, preprocess, tokenize, runtime });
  const parameters = [...parameterShapes(config).values()].reduce((n, shape) => n + sizeOf(shape), 0);
  const dtypes = new Map([...weights.keys()].map((name) => [name, dtype] as const));
  const ca = await zeroShot(clip, asStored(weights, dtypes), test, source);
  const result: PretrainResult = {
    ...made("pretrain", 2, command),
    seed,
    data: source.name,
    parameters,
    ...(ca && { ca }),
    steps,
    images: steps * batch,
    seconds: clock.seconds() + earlier,
    imagesPerSecond: (steps * batch) / training,
    output: { path: out },
    machine: machineFacts(runtime, threads),
  };
  const readme = pretrainCard(result, spec);
  const tokenizerJson = tokenizer.json;
  await writeNewCheckpoint(out, { config, weights, dtype, preprocess, tokenizerJson, readme }, { force, set });
  set?.afterwards(() => rm(stateFile, { force: true }));
  return { ...result, created: new Date().toISOString(), seconds: clock.seconds() + earlier };
}

function setsOf(source: Source, { images, steps, batch, testData, testImages: test }: Spec) {
  const held = testData === undefined ? test : 0;
  const train = images ?? (source.size === undefined ? steps * batch : leftFor(source, held));
  return source.sets({ train, test });
}

/** Images to train on beside those to test on. */
function leftFor({ name, size = 0 }: Source, test: number): number {
  if (test < size) return size - test;
  throw badInput(
    `${asked("test", test)}, but ${name} has only ${size} images, and none would be left to train on; ask for fewer (--test ${Math.floor(size / 10)}), or bring others with --test-data`,
  );
}

/** The model that the options ask for. */
export function configOf(spec: Spec, { vocabSize, bos, eos }: { vocabSize: number; bos: number; eos: number }) {
  const shared = { activation: "quick_gelu", eps: 1e-5 } as const;
  const { imageSize, patchSize, width, layers, heads, textWidth, textLayers, textHeads, contextLength } = spec;
  const config: ClipConfig = {
    embedDim: spec.embedDim,
    logitScaleInit: 2.6592,
    vision: { imageSize, patchSize, width, layers, heads, mlpWidth: 4 * width, ...shared },
    text: {
      contextLength,
      vocabSize,
      width: textWidth,
      layers: textLayers,
      heads: textHeads,
      mlpWidth: 4 * textWidth,
      ...shared,
      pooling: "largest-id",
      bosTokenId: bos,
      eosTokenId: eos,
    },
  };
  return checkConfig(config, "the options");
}

/** Images without captions get one from a prompt template and their class name, drawn by their id. */
function withCaptions(dataset: Dataset, templates: readonly string[], seed: number): Dataset {
  return {
    ...dataset,
    example(index) {
      const example = dataset.example(index);
      const name = dataset.classNames?.[example.label ?? -1];
      if (example.caption !== undefined || name === undefined) return example;
      const template = templates[random(seed, "caption", example.id).int(templates.length)];
      return { ...example, caption: template.replaceAll("{}", name) };
    },
  };
}

/** Every caption, and every prompt that zero-shot classification will ask. */
function* captionsOf(dataset: Dataset, { classNames = [], templates }: Source): Generator<string> {
  for (let i = 0; i < dataset.size; i++) {
    const { caption, id } = dataset.example(i);
    if (caption === undefined) throw badInput(`${dataset.name}: ${id} has neither caption nor class name`);
    yield caption;
  }
  for (const name of classNames) for (const template of templates) yield template.replaceAll("{}", name);
}

async function zeroShot(clip: Clip, weights: Weights, test: Dataset, { classNames, templates }: Source) {
  if (classNames === undefined || classNames.length < 2 || test.size === 0) return undefined;
  const head = await zeroShotHead(clip.encoder, weights, classNames, templates);
  return measure(metric(createScorer(clip, test, head), labelsOf(test)), weights);
}
