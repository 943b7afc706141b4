/** The files of an export: programs with their weights inside, and what transformers.js looks for beside them. */
import { dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { create } from "@bufbuild/protobuf";
import { StringStringEntryProtoSchema } from "onnx-buf";
import type { Checkpoint } from "../../checkpoint/clip-folder.ts";
import { preprocessFromHf, preprocessToHf } from "../../checkpoint/config/preprocess-hf.ts";
import { settingsFiles } from "../../checkpoint/config/settings-files.ts";
import { filesBeside, tokenizerCompanions } from "../../checkpoint/model-folder.ts";
import { tokenizerConfig } from "../../checkpoint/new-checkpoint.ts";
import { type Parameters, pieces } from "../../checkpoint/pieces.ts";
import { readTokenizerJson } from "../../clip/tokenizer-files.ts";
import { onnxProgram } from "../../engine/onnx-program.ts";
import type { ProgramName } from "../../engine/program-names.ts";
import { writeFileAtomic } from "../../files/atomic.ts";
import { parseJson } from "../../files/json.ts";
import { type Initializer, modelBytes } from "../../onnx/model-file.ts";
import { quantize } from "../../onnx/quantize.ts";
import { sizeOf } from "../../tensor/tensor.ts";

/** A program in one of its types. */
export interface Variant {
  readonly name: ProgramName;
  readonly dtype: "float32" | "int8";
}

const fileNames: Readonly<Record<ProgramName, string>> = { both: "model", image: "vision_model", text: "text_model" };

/** onnx/vision_model_quantized.onnx */
export const onnxName = ({ name, dtype }: Variant) =>
  `onnx/${fileNames[name]}${dtype === "int8" ? "_quantized" : ""}.onnx`;

/** Config, preprocessing and tokenizer by the names of their files. */
export async function companionFiles(checkpoint: Checkpoint): Promise<Record<string, string | Uint8Array>> {
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

/** Writes a program, its weights one at a time. Throws `bad-input` when the file would exceed ONNX's 2 GiB. */
export async function writeProgram(
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
  const kept = own.filter(({ name }) => !replaced.has(name));
  const floats = kept.map((one): Initializer => ({ ...one, type: "float32", data: () => floatBytes(read, one) }));
  await writeFileAtomic(path, async (put) => {
    for await (const bytes of modelBytes(model, [...initializers, ...floats])) {
      signal?.throwIfAborted();
      await put(bytes);
    }
  });
}

async function* floatBytes(read: Parameters["read"], { name, shape }: Pick<Initializer, "name" | "shape">) {
  for (const [from, count] of pieces(sizeOf(shape))) yield new Uint8Array((await read(name, from, count)).buffer);
}
