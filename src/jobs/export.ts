/** A checkpoint as ONNX files that transformers.js and ONNX Runtime load, each compared with our own engine before it is handed over. */

import { mkdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { create } from "@bufbuild/protobuf";
import { StringStringEntryProtoSchema } from "onnx-buf";
import { type Checkpoint, type ReadOptions, readCheckpoint } from "../checkpoint/clip-folder.ts";
import type { TextConfig } from "../checkpoint/config/config.ts";
import { orderChange } from "../checkpoint/config/preprocess.ts";
import { preprocessFromHf, preprocessToHf } from "../checkpoint/config/preprocess-hf.ts";
import { settingsFiles } from "../checkpoint/config/settings-files.ts";
import { filesBeside, tokenizerCompanions } from "../checkpoint/model-folder.ts";
import { tokenizerConfig } from "../checkpoint/new-checkpoint.ts";
import { type Parameters, pieces } from "../checkpoint/pieces.ts";
import { readTokenizerJson } from "../clip/tokenizer-files.ts";
import { createClip } from "../engine/clip.ts";
import { onnxEncoder } from "../engine/onnx-clip.ts";
import { onnxProgram, type ProgramName, programs } from "../engine/onnx-program.ts";
import { refuseFolder, writeFileAtomic, writeFolderAtomic } from "../files/atomic.ts";
import { sha256File } from "../files/files.ts";
import { parseJson } from "../files/json.ts";
import { writeTogether } from "../files/output-set.ts";
import { version } from "../files/version.ts";
import { type Initializer, modelBytes } from "../onnx/model-file.ts";
import { quantize } from "../onnx/quantize.ts";
import type { CheckpointFacts } from "../results/result.ts";
import { createRuntime } from "../runtime/compile.ts";
import { onnxRuntime } from "../runtime/onnxruntime.ts";
import { random } from "../tensor/random.ts";
import { sizeOf, type Tensor, tensor } from "../tensor/tensor.ts";
import { openedModel } from "./inputs/describe-opened.ts";
import { Clock, checkpointFacts, type JobOptions, silent } from "./record/facts.ts";

export interface ExportOptions extends Pick<JobOptions, "progress" | "signal" | "set">, ReadOptions {
  readonly model: string;
  /** The folder to write. */
  readonly out: string;
  /** Which files; all three unless told. */
  readonly only?: readonly ProgramName[];
  /** Also with weights in 8 bits. */
  readonly int8?: boolean;
  readonly force?: boolean;
  readonly threads?: number;
  readonly command?: string;
}

export interface ExportResult {
  readonly kind: "export";
  readonly tbar: string;
  readonly created: string;
  readonly command: string;
  readonly model: CheckpointFacts;
  readonly output: { readonly path: string };
  readonly files: readonly {
    readonly path: string;
    readonly bytes: number;
    readonly sha256: string;
    readonly dtype: "float32" | "int8";
    /** Largest difference of an embedding's value from our engine's, in units of the largest value. */
    readonly deviation: number;
  }[];
  /** Do all float32 files give our engine's embeddings, within 1e-5? */
  readonly faithful: boolean;
  /** How programs that read these files see images differently from those that read the checkpoint; absent where they do not. */
  readonly pixels?: string;
  readonly seconds: number;
}

const fileNames: Readonly<Record<ProgramName, string>> = { both: "model", image: "vision_model", text: "text_model" };
const most = 1e-5;

/**
 * OUT/onnx/{model,vision_model,text_model}[_quantized].onnx with config, preprocessing and tokenizer in OUT, as transformers.js looks
 * for them. The trigger or receipt in the checkpoint's metadata goes along. Weights pass one at a time; for the comparison the whole
 * model is loaded twice. Throws `bad-input` when a file would exceed ONNX's 2 GiB.
 */
export function exportModel(options: ExportOptions): Promise<ExportResult> {
  return writeTogether("export", options, exportAndCompare);
}

async function exportAndCompare(options: ExportOptions): Promise<ExportResult> {
  const { out, only = programs, int8 = false, progress = silent, signal } = options;
  const clock = new Clock();
  progress.stage("load");
  const checkpoint = await readCheckpoint(options.model, options);
  progress.opened?.({ models: [openedModel(checkpoint)] });
  const companions = await companionFiles(checkpoint);
  const wanted = only.flatMap((name) => [
    { name, dtype: "float32" as const },
    ...(int8 ? [{ name, dtype: "int8" as const }] : []),
  ]);
  const onnxName = ({ name, dtype }: Variant) => `onnx/${fileNames[name]}${dtype === "int8" ? "_quantized" : ""}.onnx`;
  await refuseFolder(out, [...Object.keys(companions), ...wanted.map(onnxName)], options);
  const files: ExportResult["files"][number][] = [];
  await writeFolderAtomic(
    out,
    async (folder) => {
      progress.stage("write");
      for (const [name, content] of Object.entries(companions)) await writeFileAtomic(join(folder, name), content);
      await mkdir(join(folder, "onnx"));
      for (const variant of wanted) {
        await checkpoint.stream((parameters) =>
          write(join(folder, onnxName(variant)), checkpoint, parameters, variant, signal),
        );
        progress.step(wanted.indexOf(variant) + 1, wanted.length);
      }
      progress.stage("compare");
      const deviationOf = await comparison(checkpoint, options.threads);
      for (const variant of wanted) {
        const path = onnxName(variant);
        const file = join(folder, path);
        const { size: bytes } = await stat(file);
        files.push({
          path,
          bytes,
          sha256: await sha256File(file),
          dtype: variant.dtype,
          deviation: await deviationOf(file, variant),
        });
        progress.step(files.length, wanted.length);
      }
    },
    options,
  );
  const isResnet = checkpoint.config.vision.kind === "resnet";
  const pixels = orderChange(checkpoint.preprocess.order, isResnet ? "torchvision" : "transformers");
  return {
    kind: "export",
    tbar: version,
    created: new Date().toISOString(),
    command: options.command ?? "",
    model: await checkpointFacts(checkpoint),
    output: { path: out },
    files,
    ...(pixels && { pixels }),
    faithful: files.every(({ dtype, deviation }) => dtype === "int8" || deviation <= most),
    seconds: clock.seconds(),
  };
}

interface Variant {
  readonly name: ProgramName;
  readonly dtype: "float32" | "int8";
}

async function companionFiles(checkpoint: Checkpoint): Promise<Record<string, string | Uint8Array>> {
  const folder = dirname(checkpoint.weightsFile);
  const { config } = checkpoint;
  const files: Record<string, string | Uint8Array> = {
    ...(await settingsFiles(checkpoint, config.vision.kind === "resnet" ? "open_clip" : "hf")),
  };
  if (config.vision.kind !== "resnet") files["preprocessor_config.json"] = preprocessorFile(checkpoint, files);
  Object.assign(files, await filesBeside(checkpoint.weightsFile, tokenizerCompanions));
  const tokenizer = await readTokenizerJson(folder);
  if (tokenizer !== undefined) {
    files["tokenizer.json"] = tokenizer;
    files["tokenizer_config.json"] ??= `${JSON.stringify(tokenizerConfig(config.text.contextLength), null, 2)}\n`;
  }
  return files;
}

/** The model's own file where it says all: transformers.js reads neither processor_config.json nor defaults of the model's kind. */
function preprocessorFile(
  { path, config, preprocess }: Checkpoint,
  files: Readonly<Record<string, string | Uint8Array>>,
) {
  const own = files["preprocessor_config.json"];
  const read = (text: string | Uint8Array) =>
    preprocessFromHf(parseJson(Buffer.from(text), path), config.vision.imageSize, path);
  if (own !== undefined && isDeepStrictEqual(read(own), preprocess)) return own;
  return `${JSON.stringify(preprocessToHf(preprocess, path), null, 2)}\n`;
}

async function write(
  path: string,
  { config, metadata }: Checkpoint,
  { shapes, read }: Parameters,
  { name, dtype }: Variant,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { model, parameters } = onnxProgram(config, name);
  const props = Object.entries(metadata).filter(([key]) => key.startsWith("tbar."));
  model.metadataProps = props.map(([key, value]) => create(StringStringEntryProtoSchema, { key, value }));
  const own = parameters.map((name) => ({ name, shape: shapes.get(name) ?? [] }));
  const whole = own.map((weight) => ({ ...weight, values: () => read(weight.name, 0, sizeOf(weight.shape)) }));
  const { initializers, replaced } =
    dtype === "int8" && model.graph !== undefined
      ? quantize(model.graph, whole)
      : { initializers: [], replaced: new Set<string>() };
  const floats = own
    .filter(({ name }) => !replaced.has(name))
    .map(
      ({ name, shape }): Initializer => ({ name, shape, type: "float32", data: () => floatBytes(read, name, shape) }),
    );
  await writeFileAtomic(path, async (put) => {
    for await (const bytes of modelBytes(model, [...initializers, ...floats])) {
      signal?.throwIfAborted();
      await put(bytes);
    }
  });
}

async function* floatBytes(read: Parameters["read"], name: string, shape: readonly number[]) {
  for (const [from, count] of pieces(sizeOf(shape))) yield new Uint8Array((await read(name, from, count)).buffer);
}

/** Runs a file on random pictures and texts, beside our engine. */
async function comparison({ config, preprocess, weights: read }: Checkpoint, threads: number | undefined) {
  const executor = await onnxRuntime({ threads });
  const runtime = createRuntime(executor);
  const tokenize = (text: string) => randomIds(config.text, text);
  const weights = await read();
  const { imageSize } = config.vision;
  const pixels = tensor([2, 3, imageSize, imageSize]);
  random(1, "export").fillUniform(pixels.data);
  const texts = ["one", "two", "three"];
  const { encoder } = createClip({ config, preprocess, tokenize, runtime });
  const images = await encoder.images(weights, pixels);
  const lines = await encoder.texts(weights, texts);
  await runtime.release();

  return async (file: string, { name }: Variant): Promise<number> => {
    const program = await executor.compile(file);
    const found = onnxEncoder({ config, preprocess }, { image: program, text: program }, tokenize, {
      image: file,
      text: file,
    });
    const deviations = [
      ...(name === "text" ? [] : [deviation(await found.images(weights, pixels), images)]),
      ...(name === "image" ? [] : [deviation(await found.texts(weights, texts), lines)]),
    ];
    await program.release();
    return Math.max(...deviations);
  };
}

/** Ids of a made-up text, ended as the model's own are. */
function randomIds({ vocabSize, contextLength, pooling, eosTokenId }: TextConfig, seed: string): number[] {
  const rng = random(1, "export", seed);
  const end = pooling === "first-eos" ? (eosTokenId ?? 0) : vocabSize - 1;
  const length = pooling === "last" ? contextLength : 2 + rng.int(contextLength - 2);
  const ids = Array.from({ length }, () => rng.int(vocabSize - 1));
  return [...ids.slice(1).map((id) => (id === end ? 0 : id)), end];
}

function deviation(a: Tensor, b: Tensor): number {
  const largest = b.data.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  return a.data.reduce((most, v, i) => Math.max(most, Math.abs(v - b.data[i])), 0) / largest;
}
