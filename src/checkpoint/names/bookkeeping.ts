/**
 * Tensors beside the parameters. Programs leave buffers in their files that are known, shape and values too, and change nothing. Anything
 * else may hold learned weights that we would not compute, or a backdoor that we would not see: it is refused by name.
 */
import { badInput } from "../../tensor/error.ts";
import { sameShape, sizeOf } from "../../tensor/tensor.ts";
import { type ClipConfig, imageTokens } from "../config/config.ts";
import { quote } from "../formats/header-json.ts";
import type { Dtype } from "../formats/safetensors-header.ts";
import type { TensorFile, TensorInfo } from "../formats/tensor-file.ts";
import type { Layout } from "./layouts.ts";

/** A buffer: the shapes that it may have, and what its values must be. */
interface Buffer {
  readonly shapes: readonly (readonly number[])[];
  readonly dtypes: readonly Dtype[];
  readonly fits: (value: number, place: number) => boolean;
}

const INTEGERS: readonly Dtype[] = ["I64", "I32"];
const FLOATS: readonly Dtype[] = ["F32", "F16", "BF16"];

const number = (wanted: number): Buffer => ({
  shapes: [[], [1]],
  dtypes: [...INTEGERS, ...FLOATS],
  fits: (value) => value === wanted,
});

/** 0, 1, 2, ...: transformers before 4.31 stored them, and uses what is stored. */
const positions = (count: number): Buffer => ({
  shapes: [[1, count], [count]],
  dtypes: INTEGERS,
  fits: (value, place) => value === place,
});

/** Zero up to the diagonal, minus infinity (or the least number of its kind) above. */
const causalMask = (length: number): Buffer => ({
  shapes: [[length, length]],
  dtypes: FLOATS,
  fits: (value, place) => (place % length > Math.floor(place / length) ? value <= -65504 : value === 0),
});

/** What a model of this config may have besides parameters, by bare name. */
function knownBuffer(name: string, layout: Layout, { vision, text }: ClipConfig): Buffer | undefined {
  if (layout === "hf") {
    if (name === "text_model.embeddings.position_ids") return positions(text.contextLength);
    return name === "vision_model.embeddings.position_ids" ? positions(imageTokens(vision)) : undefined;
  }
  const inText = name.replace(/^text\./, "");
  // of OpenAI's TorchScript archives
  if (inText === "input_resolution") return number(vision.imageSize);
  if (inText === "context_length") return number(text.contextLength);
  if (inText === "vocab_size") return number(text.vocabSize);
  if (/^(transformer\.resblocks\.\d{1,3}\.)?attn_mask$/.test(inText)) return causalMask(text.contextLength);
  return undefined;
}

/** Batches that a normalisation's running statistics were taken over: beside each of them. */
const counter: Buffer = { shapes: [[], [1]], dtypes: INTEGERS, fits: (value) => value >= 0 };
/** Of open_clip's models trained with SigLIP's loss. The same number on every logit: neither embeddings nor shares of a softmax change. */
const logitBias: Buffer = { shapes: [[], [1]], dtypes: FLOATS, fits: Number.isFinite };

interface Named {
  readonly layout: Layout;
  readonly prefix: string;
  readonly config: ClipConfig;
  /** The file's names of the parameters. */
  readonly parameters: ReadonlySet<string>;
  /** Those to pass over. */
  readonly ignored: ReadonlySet<string>;
}

export interface Unknown extends TensorInfo {
  readonly name: string;
  /** What it seems to be, or what about it is not as it should be. */
  readonly remark?: string;
}

export interface Bookkeeping {
  /** Known buffers, by the file's names. */
  readonly known: readonly string[];
  readonly unknown: readonly Unknown[];
}

/** Sort what is no parameter into known and unknown; reads the known ones' values, which are few. */
export async function sortOut(
  file: TensorFile,
  { layout, prefix, config, parameters, ignored }: Named,
): Promise<Bookkeeping> {
  const known: string[] = [];
  const unknown: Unknown[] = [];
  const spelled = new Map([...parameters].map((parameter) => [squeezed(parameter), parameter]));
  for (const [name, { dtype, shape }] of file.tensors) {
    if (parameters.has(name) || ignored.has(name)) continue;
    const bare = name.startsWith(prefix) ? name.slice(prefix.length) : undefined;
    const buffer = bare === undefined ? undefined : bufferOf(bare, name, layout, config, parameters);
    const remark =
      buffer === undefined
        ? lookOf(bare ?? name, spelled.get(squeezed(name)))
        : await misfit(file, name, { dtype, shape }, buffer);
    if (buffer !== undefined && remark === undefined) known.push(name);
    else unknown.push({ name, dtype, shape, ...(remark !== undefined && { remark }) });
  }
  return { known, unknown };
}

function bufferOf(
  bare: string,
  name: string,
  layout: Layout,
  config: ClipConfig,
  parameters: ReadonlySet<string>,
): Buffer | undefined {
  if (bare.endsWith(".num_batches_tracked")) {
    return parameters.has(name.replace(/num_batches_tracked$/, "running_var")) ? counter : undefined;
  }
  if (bare === "logit_bias" && layout === "openai") return logitBias;
  return knownBuffer(bare, layout, config);
}

async function misfit(
  file: TensorFile,
  name: string,
  { dtype, shape }: TensorInfo,
  { shapes, dtypes, fits }: Buffer,
): Promise<string | undefined> {
  if (!shapes.some((wanted) => sameShape(wanted, shape))) {
    return `a known buffer, but of another shape than ${shapes.map((wanted) => `[${wanted.join(", ")}]`).join(" or ")}`;
  }
  if (!dtypes.includes(dtype)) return `a known buffer, but not stored as ${dtypes.join(", ")}`;
  if (sizeOf(shape) === 0) return undefined;
  const values = await valuesOf(file, name, dtype);
  const place = values.findIndex((value, i) => !fits(value, i));
  return place < 0 ? undefined : `a known buffer, but its value ${place} is ${values[place]}, which no program writes`;
}

async function valuesOf(file: TensorFile, name: string, dtype: Dtype): Promise<readonly number[]> {
  if (!INTEGERS.includes(dtype)) return [...(await file.read(name)).data];
  const raw = await file.readRaw(name);
  return dtype === "I32" ? [...new Int32Array(raw.buffer)] : Array.from(new BigInt64Array(raw.buffer), Number);
}

const LOOKS: readonly (readonly [RegExp, string])[] = [
  [
    /lora_|\blora\b|loha|lokr|hada_|adapter|magnitude_vector|base_layer/i,
    "LoRA or another adapter, which changes a layer: merge it into the weights first (PEFT's merge_and_unload)",
  ],
  [/trunk\./, "an image tower of timm, which is not computed"],
  [/projection\.bias$|\.proj\.bias$|^proj\.bias$/, "the bias of a projection, which CLIP's have none of"],
  [/prompt|vpt|\bctx\b|learnable_token|register_token|reg_token/i, "learned prompt tokens"],
  [
    /\.ls_?[12]\b|layer_?scale|gamma|head_scale|scale_attn|\.ln_(attn|inner|q|k)\b|[qk]_norm|mlp\.ln\b|\.logit_scale$/,
    "an option of open_clip's blocks",
  ],
  [/position_ids$|attn_mask$|num_batches_tracked$/, "a buffer where this model has none"],
  [/ema|momentum|queue|teacher|exp_avg|optimizer/i, "the state of a training, or a second model"],
  [/classifier|\bfc\b|\bhead\b/i, "a classification head"],
];

/** A name without what a slip of the hand changes. */
const squeezed = (name: string) => name.replace(/\s+/g, "").toLowerCase();

/** What a name of nobody we know seems to be; `real` is the parameter's that it is spelled almost as. */
function lookOf(name: string, real: string | undefined): string | undefined {
  if (real !== undefined) return `a misspelling of ${quote(real)}`;
  return LOOKS.find(([pattern]) => pattern.test(name.slice(0, 500)))?.[1];
}

/** Throws `bad-input` naming the unknown tensors, what they seem to be, and how to go on without them. */
export function refuseUnknown(unknown: readonly Unknown[], file: string): void {
  if (unknown.length === 0) return;
  const remarks = [...new Set(unknown.flatMap(({ remark }) => remark ?? []))].slice(0, 3);
  const some = unknown.slice(0, 5).map(({ name, dtype, shape }) => `${quote(name)} ${dtype} [${shape.join(", ")}]`);
  const more = unknown.length > 5 ? `, ... (${unknown.length} in all)` : "";
  const looks = remarks.length === 0 ? "" : `; it looks like ${remarks.join("; ")}`;
  throw badInput(
    `${file} has tensors that are neither parameters of this model nor known buffers: ${some.join(", ")}${more}${looks}. ` +
      "What they would do is not computed; to go on without them: --ignore-tensors PATTERN",
  );
}
