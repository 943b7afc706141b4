/** Making a small CLIP from nothing: vocabulary from the captions, contrastive training, a Hugging Face folder with a card. */

import { rm } from "node:fs/promises";
import { type ClipConfig, checkConfig, parameterShapes } from "../checkpoint/config/config.ts";
import { clipPreprocess } from "../checkpoint/config/preprocess.ts";
import { newCheckpointNames, writeNewCheckpoint } from "../checkpoint/new-checkpoint.ts";
import { asStored } from "../checkpoint/rounding.ts";
import { loadTokenizer, wordsOf, wordTokenizer } from "../clip/tokenizer.ts";
import type { Dataset } from "../data/dataset.ts";
import { openDataset } from "../data/open.ts";
import { concat } from "../data/split.ts";
import { type Clip, createClip } from "../engine/clip.ts";
import { pretrain } from "../engine/pretrain.ts";
import { createScorer } from "../engine/scorer.ts";
import { zeroShotHead } from "../engine/zero-shot.ts";
import { refuseFolder } from "../files/atomic.ts";
import { writeTogether } from "../files/output-set.ts";
import { version } from "../files/version.ts";
import { labelsOf, measure, metric } from "../metrics/accuracy.ts";
import type { PretrainResult } from "../results/result.ts";
import { createRuntime } from "../runtime/compile.ts";
import { type Device, onnxRuntime } from "../runtime/onnxruntime.ts";
import { badInput } from "../tensor/error.ts";
import { random } from "../tensor/random.ts";
import { sizeOf, type Weights } from "../tensor/tensor.ts";
import { openedData } from "./inputs/describe-opened.ts";
import { asked, openSource, type Source, type SourceOptions } from "./inputs/source.ts";
import { Clock, computedOn, type JobOptions, machineFacts, silent } from "./record/facts.ts";
import { pretrainCard } from "./record/model-card.ts";

export interface PretrainOptions extends JobOptions, SourceOptions {
  readonly data: string;
  readonly out: string;
  readonly force?: boolean;
  readonly steps: number;
  readonly batch: number;
  readonly lr: number;
  readonly warmup: number;
  readonly weightDecay: number;
  readonly imageSize: number;
  readonly patchSize: number;
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly textWidth: number;
  readonly textLayers: number;
  readonly textHeads: number;
  readonly embedDim: number;
  readonly contextLength: number;
  readonly dtype: "F16" | "F32" | "BF16";
  /** Images of a finite data set; the world has as many as the steps ask for. */
  readonly images?: number;
  /** Captioned images that are trained on as well, without classes. */
  readonly captions?: string;
  readonly testImages: number;
  /** Crop and mirror training images: for photographs. */
  readonly augment?: boolean;
  /** Weights, moments and step while the run lasts; OUT.state unless told. A run goes on from it. */
  readonly stateFile?: string;
  readonly device?: Device;
  readonly threads?: number;
  readonly command?: string;
}

/** The embedded model: ViT-B/32 on 224 pixels, made four times smaller in every length (56 pixels, patches of 8, 7 x 7 of them). */
export const pretrainDefaults = {
  steps: 8000,
  batch: 128,
  lr: 1e-3,
  warmup: 100,
  weightDecay: 0.1,
  imageSize: 56,
  patchSize: 8,
  width: 128,
  layers: 6,
  heads: 4,
  textWidth: 128,
  textLayers: 2,
  textHeads: 4,
  embedDim: 128,
  contextLength: 16,
  dtype: "F16",
  testImages: 2000,
  seed: 1,
} as const;

/** Pre-train, write `out`, and measure zero-shot accuracy on images that training never saw, with the file as stored. */
export function pretrainModel(options: PretrainOptions): Promise<PretrainResult> {
  return writeTogether("pretrain", options, pretrainAndWrite);
}

async function pretrainAndWrite(options: PretrainOptions): Promise<PretrainResult> {
  const { progress = silent, signal, seed, steps, batch, out } = options;
  await refuseFolder(out, newCheckpointNames, options);
  const clock = new Clock();
  progress.stage("prepare");
  const source = await openSource(options.data, options);
  const { train, test } = await pretrainSets(source, options);
  const captioned = withCaptions(train, source.templates, seed);
  const { captions, skipBad, encoding } = options;
  const more = captions === undefined ? undefined : await openDataset(captions, { skipBad, encoding });
  const dataset = more === undefined ? captioned : concat([captioned, more]);
  progress.opened?.({
    data: { ...source.opened(), ...(more && { captions: openedData(more, more.skipped.length) }) },
  });
  const words = source.vocabulary ?? wordsOf(captionsOf(dataset, source));
  const tokenizer = wordTokenizer(words);
  const config = configOf(options, tokenizer);
  const preprocess = clipPreprocess(config.vision.imageSize);
  const runtime = createRuntime(await onnxRuntime(options));
  const tokenize = await loadTokenizer(tokenizer.json, config.text);
  const stateFile = options.stateFile ?? `${out}.state`;

  progress.stage("pre-train");
  const began = clock.seconds();
  const { weights, seconds: training } = await pretrain({
    ...options,
    runtime,
    config,
    preprocess,
    tokenize,
    dataset,
    computedOn: computedOn(options),
    stateFile,
    signal,
    onStep: ({ step, loss }) => progress.step(step, steps, `loss ${loss.toFixed(3)}`),
  });

  const earlier = Math.max(0, training - (clock.seconds() - began)); // of a run that this one goes on from

  progress.stage("measure and write");
  const clip = createClip({ config, preprocess, tokenize, runtime });
  const parameters = [...parameterShapes(config).values()].reduce((n, shape) => n + sizeOf(shape), 0);
  const dtypes = new Map([...weights.keys()].map((name) => [name, options.dtype] as const));
  const ca = await zeroShot(clip, asStored(weights, dtypes), test, source);
  const result: PretrainResult = {
    kind: "pretrain",
    tbar: version,
    created: new Date().toISOString(),
    command: options.command ?? "",
    seed,
    data: source.name,
    parameters,
    ...(ca && { ca }),
    steps,
    images: steps * batch,
    seconds: clock.seconds() + earlier,
    imagesPerSecond: (steps * batch) / training,
    output: { path: out },
    machine: machineFacts(runtime, options.threads),
  };
  await writeNewCheckpoint(
    out,
    {
      config,
      weights,
      dtype: options.dtype,
      preprocess,
      tokenizerJson: tokenizer.json,
      readme: pretrainCard(result, options),
    },
    options,
  );
  options.set?.afterwards(() => rm(stateFile, { force: true }));
  await runtime.release();
  return { ...result, created: new Date().toISOString(), seconds: clock.seconds() + earlier };
}

/** Images to train and to test on. Throws TbarError where there are too few. */
export function pretrainSets(source: Source, options: PretrainOptions) {
  const { images, steps, batch, testData, testImages: test } = options;
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
export function configOf(
  options: PretrainOptions,
  { vocabSize, bos, eos }: { vocabSize: number; bos: number; eos: number },
): ClipConfig {
  const shared = { activation: "quick_gelu", eps: 1e-5 } as const;
  const { imageSize, patchSize, width, layers, heads, textWidth, textLayers, textHeads, contextLength } = options;
  const config: ClipConfig = {
    embedDim: options.embedDim,
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
