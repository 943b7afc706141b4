/** A model from ONNX files, as `tbar export` or other exporters of transformers.js write them: it can be run, and that is all. */
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Preprocess } from "../checkpoint/config/preprocess.ts";
import { readSettings, type Settings } from "../checkpoint/config/settings.ts";
import { loadTokenizer, type Tokenize } from "../clip/tokenizer.ts";
import { readTokenizerJson } from "../clip/tokenizer-files.ts";
import { isFile, isFolder, sha256File } from "../files/files.ts";
import { fullDialect } from "../onnx/dialect.ts";
import { createRuntime } from "../runtime/compile.ts";
import type { Feeds, Program } from "../runtime/executor.ts";
import { badInput } from "../tensor/error.ts";
import { printable } from "../tensor/printable.ts";
import { type IntTensor, intTensor, type Tensor, tensor } from "../tensor/tensor.ts";
import type { Clip } from "./clip.ts";
import { concatRows, type Encoder, finite } from "./encoder.ts";
import type { OnnxFacts } from "./onnx-messages.ts";
import { type ForeignOptions, openForeign } from "./onnx-process.ts";

/** The files of a model: one that reads images and one that reads texts, which may be the same. */
export interface OnnxFiles {
  readonly image: string;
  readonly text: string;
}

/**
 * The files that a path stands for: model*.onnx; vision_model*.onnx or text_model*.onnx with the other beside it; or a folder that
 * has them in onnx/ and no other weights. Undefined when it stands for none. Throws `bad-input` when one of a pair is missing.
 */
export async function findOnnx(path: string): Promise<OnnxFiles | undefined> {
  if (await isFolder(path)) {
    const names = await readdir(path);
    if (!names.includes("onnx") || names.some((name) => /\.(safetensors|bin|pt|pth)$|\.index\.json$/.test(name)))
      return undefined;
    const whole = join(path, "onnx", "model.onnx");
    return findOnnx((await isFile(whole)) ? whole : join(path, "onnx", "vision_model.onnx"));
  }
  if (!path.endsWith(".onnx")) return undefined;
  const [, tower, variant] = /^(vision|text)_model(.*)$/.exec(basename(path)) ?? [];
  if (tower === undefined) return { image: path, text: path };
  const files = {
    image: join(dirname(path), `vision_model${variant}`),
    text: join(dirname(path), `text_model${variant}`),
  };
  for (const file of Object.values(files)) {
    if (!(await isFile(file))) throw badInput(`there is no ${file}; a model that is measured needs both of its towers`);
  }
  return files;
}

export interface OnnxClip extends Clip {
  readonly files: OnnxFiles;
  readonly facts: OnnxFacts & { /** Of the file that reads images. */ readonly sha256: string };
}

/**
 * Open the files with the JSON beside them or in the folder above; they run in a process of their own, which ends with `signal`. Throws
 * `bad-input` when something about them is wrong.
 */
export async function loadOnnxClip(files: OnnxFiles, options: ForeignOptions = {}): Promise<OnnxClip> {
  const folder = await settingsFolder(files.image);
  const layout = (await isFile(join(folder, "config.json"))) ? "hf" : "openai";
  const settings = await readSettings(folder, layout, () => {
    throw badInput(`there is no config.json in the folder of ${files.image} or above it`);
  });
  const json = await readTokenizerJson(folder);
  if (json === undefined) throw badInput(`${folder} has no tokenizer, so texts cannot be encoded`);
  const tokenize = await loadTokenizer(json, settings.config.text);
  const model = await openForeign([...new Set([files.image, files.text])], options);
  const [image, text = image] = model.programs;
  const encoder = onnxEncoder(settings, { image, text }, tokenize, files);
  const facts = { ...model.facts, sha256: await sha256File(files.image) };
  const runtime = createRuntime({
    description: model.description,
    dialect: fullDialect,
    compile: async () => unreachable(),
  });
  return { ...settings, tokenize, runtime: { ...runtime, release: model.release }, encoder, files, facts };
}

/** Weights are inside the model's own programs: nobody has others to compile for it. */
function unreachable(): never {
  throw new Error("a model in ONNX files runs no program but its own");
}

async function settingsFolder(file: string): Promise<string> {
  const [own, above] = [dirname(file), dirname(dirname(file))];
  for (const name of ["config.json", "open_clip_config.json"]) if (await isFile(join(own, name))) return own;
  return above;
}

interface Towers {
  readonly image: Program;
  readonly text: Program;
}

/** Unit-norm embeddings by programs with their weights inside: those handed over are not looked at. */
export function onnxEncoder(
  { config, preprocess }: Settings,
  { image, text }: Towers,
  tokenize: Tokenize,
  files: OnnxFiles,
): Encoder {
  const { imageSize } = config.vision;
  /** A program of both towers is fed an empty picture, or a short text, for the other one. */
  const blank = (name: string) =>
    name === "pixel_values" ? tensor([1, 3, imageSize, imageSize]) : texts([tokenize("a")])[name];
  const run = async (program: Program, file: string, own: Feeds, output: string): Promise<Tensor> => {
    const given = Object.fromEntries(program.inputs.map((name) => [name, own[name] ?? blank(name)]));
    const unknown = program.inputs.find((name) => given[name] === undefined);
    if (unknown !== undefined)
      throw badInput(`${file} reads "${printable(unknown)}", which no CLIP of transformers.js does`);
    const wanted = [output, "pooler_output"].find((name) => program.outputs.includes(name));
    const found = wanted === undefined ? undefined : (await program.run(given, {}, [wanted]))[wanted];
    const rows = (own.pixel_values ?? own.input_ids).shape[0];
    if (found?.shape.length === 2 && found.shape[0] === rows && found.data instanceof Float32Array)
      return finite(unitRows(found), own.pixel_values === undefined ? "texts" : "images");
    throw badInput(
      `${file} gives no float32 ${output} of ${rows} rows; its outputs are ${printable(program.outputs.join(", "))}`,
    );
  };
  return {
    images: (_, pixels) => run(image, files.image, { pixel_values: normalized(pixels, preprocess) }, "image_embeds"),
    async texts(_, lines) {
      const parts: Tensor[] = [];
      for (let at = 0; at < lines.length; at += textsPerRun) {
        const rows = lines.slice(at, at + textsPerRun).map(tokenize);
        parts.push(await run(text, files.text, texts(rows), "text_embeds"));
      }
      return concatRows(parts);
    },
    async prepack() {}, // the weights are in the programs
    async release() {}, // they are the runtime's
  };
}

const textsPerRun = 64;

/** Rows of ids filled up to one length with their last, which ends them. */
function texts(rows: readonly number[][]): Record<string, IntTensor> {
  const length = Math.max(...rows.map((row) => row.length));
  const at = (row: readonly number[], t: number) => row[Math.min(t, row.length - 1)];
  const filled = rows.flatMap((row) => Array.from({ length }, (_, t) => at(row, t)));
  const real = rows.flatMap((row) => Array.from({ length }, (_, t) => (t < row.length ? 1 : 0)));
  const shape = [rows.length, length];
  return { input_ids: intTensor(shape, filled), attention_mask: intTensor(shape, real) };
}

/** (pixels - mean) / std per channel of [B, 3, S, S]. */
function normalized({ shape, data }: Tensor, { mean, std }: Preprocess): Tensor {
  const image = shape[2] * shape[3];
  const out = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const channel = Math.floor(i / image) % 3;
    out[i] = (data[i] - mean[channel]) / std[channel];
  }
  return { shape, data: out };
}

function unitRows({ shape, data }: Tensor): Tensor {
  const [rows, width] = shape;
  const out = data.slice();
  for (let i = 0; i < rows; i++) {
    const row = out.subarray(i * width, (i + 1) * width);
    const norm = Math.hypot(...row);
    for (let e = 0; e < width; e++) row[e] /= norm;
  }
  return { shape, data: out };
}
