/**
 * A checkpoint under other names: OpenAI's and open_clip's, the same with `text.` before the text tower, Hugging Face's. Bytes are
 * cut, joined and transposed, never decoded, so the way back gives the same file; tensor by tensor.
 */
import { isDeepStrictEqual } from "node:util";
import type { WriteOptions } from "../../files/atomic.ts";
import { refusePickleName } from "../../files/files.ts";
import { badInput } from "../../tensor/error.ts";
import { type Checkpoint, withWeights } from "../clip-folder.ts";
import { assumedKey } from "../config/assumed.ts";
import { parameterShapes } from "../config/config.ts";
import { checkToldByShapes, settingsFiles } from "../config/settings-files.ts";
import { type TensorSource, writeSafetensors } from "../formats/safetensors.ts";
import { byteLength, DTYPE_BITS, type Dtype } from "../formats/safetensors-header.ts";
import type { Bytes, TensorFile } from "../formats/tensor-file.ts";
import { filesBeside, tokenizerCompanions, writeModelFolder } from "../model-folder.ts";
import type { KeyStyle } from "./key-styles.ts";
import { partsOf } from "./layouts.ts";
import { fileShape, type Part } from "./parts.ts";

export interface Converted {
  /** Tensors written. */
  readonly tensors: number;
  /** Tensors of the source that hold no parameter and have no place in the new file. */
  readonly leftOut: readonly string[];
}

/**
 * Write `from` with other keys: a lone file where `out` ends in .safetensors, else a folder with the config that belongs to them and
 * the tokenizer that lay beside `from`. Throws `bad-input` where the target cannot say what the model is.
 */
export async function convertCheckpoint(
  from: Checkpoint,
  to: KeyStyle,
  out: string,
  options: WriteOptions = {},
): Promise<Converted> {
  refusePickleName(out);
  const lone = out.endsWith(".safetensors");
  const names = targetParts(from, to);
  if (lone) checkToldByShapes(from);
  const settings = lone ? {} : await settingsFiles(from, to);
  const kept = keptExtras(from, to);
  return withWeights(from, async (file) => {
    const tensors = [...convertedTensors(file, from, names), ...kept.map((extra) => copied(file, extra))];
    // a config that is written states as known what was only assumed
    const { [assumedKey]: before, ...rest } = from.metadata;
    const assumed = lone ? undefined : (before ?? from.assumed);
    const metadata = new Map(
      Object.entries({ format: "pt", ...rest, ...(assumed !== undefined && { [assumedKey]: assumed }) }),
    );
    if (lone) await writeSafetensors(out, { tensors, metadata }, options);
    else {
      const files = { ...settings, ...(await filesBeside(from.weightsFile, tokenizerCompanions)) };
      const name = to === "hf" ? "model.safetensors" : "open_clip_model.safetensors";
      await writeModelFolder(out, files, [name, { tensors, metadata }], options);
    }
    const carried = new Set(kept.map(({ from }) => from));
    const leftOut = [...from.extras, ...from.ignored].filter((name) => !carried.has(name));
    return { tensors: tensors.length, leftOut };
  });
}

/** The tensors of the new file and the parameters they hold. Throws `bad-input` for a model that has no such form. */
function targetParts({ path, config, layout, parts, prefix }: Checkpoint, to: KeyStyle): Part[] {
  const { vision, text } = config;
  if (to === "hf") {
    if (vision.kind === "resnet") {
      throw badInput(
        `${path} is a CLIP ResNet, which has no Hugging Face form; convert it to openai, open_clip or open_clip-text`,
      );
    }
    return [...parameterShapes(config).keys()].map((name) => ({ file: name, ours: [name], form: "same" }));
  }
  if (vision.kind === "siglip")
    throw badInput(`${path} is a SigLIP model, which has no OpenAI form; it stays as it is (hf)`);
  if (layout === "openai" || vision.kind === "resnet") {
    return parts.map((part) => ({ ...part, file: respelled(part.file.slice(prefix.length), to) }));
  }
  const names = ["visual.conv1.weight"];
  for (let i = 0; i < vision.layers; i++) names.push(`visual.transformer.resblocks.${i}.ln_1.weight`);
  for (let i = 0; i < text.layers; i++) names.push(`transformer.resblocks.${i}.ln_1.weight`);
  return partsOf("openai", new Set(names)).map((part) => ({ ...part, file: respelled(part.file, to) }));
}

/** Without the `text.` that a name in OpenAI's layout may have, or with it where it is asked for. */
function respelled(name: string, to: KeyStyle): string {
  const bare = name.replace(/^text\./, "");
  return to === "open_clip-text" && !/^(visual\.|logit_(scale|bias)$)/.test(bare) ? `text.${bare}` : bare;
}

/** OpenAI's TorchScript archives have these beside the parameters; open_clip's models do not. */
const OPENAI_BUFFERS = ["input_resolution", "context_length", "vocab_size", "attn_mask"];

interface Extra {
  readonly from: string;
  readonly name: string;
}

/** What holds no parameter (a batch normalisation's counters, old position ids) goes along while the layout stays. */
function keptExtras({ layout, extras, prefix }: Checkpoint, to: KeyStyle): Extra[] {
  if ((layout === "hf") !== (to === "hf")) return [];
  if (to === "hf") return extras.map((from) => ({ from, name: from.slice(prefix.length) }));
  return extras
    .map((from) => ({ from, name: respelled(from.slice(prefix.length), to) }))
    .filter(({ name }) => !OPENAI_BUFFERS.includes(name.replace(/^(text\.)?(transformer\.resblocks\.\d+\.)?/, "")));
}

function copied(file: TensorFile, { from, name }: Extra): TensorSource {
  const { dtype, shape } = file.tensors.get(from)!;
  return { name, dtype, shape, data: () => file.readRaw(from) };
}

function* convertedTensors(
  file: TensorFile,
  { path, config, parts, dtypes }: Checkpoint,
  target: readonly Part[],
): Generator<TensorSource> {
  const shapes = parameterShapes(config);
  const place = new Map(parts.flatMap((part) => part.ours.map((our, index) => [our, { part, index }] as const)));
  const bytesOf = async (our: string): Promise<Bytes> => {
    const { part, index } = place.get(our)!;
    const shape = shapes.get(our)!;
    const bytes = byteLength(dtypes.get(our)!, shape) as number;
    if (part.form === "stacked") return file.readRange(part.file, index * bytes, (index + 1) * bytes);
    const raw = await file.readRaw(part.file);
    return part.form === "transposed" ? transposed(raw, [shape[1], shape[0]], dtypes.get(our)!) : raw;
  };
  for (const part of target) {
    const [dtype, other] = new Set(part.ours.map((our) => dtypes.get(our)!));
    if (other !== undefined)
      throw badInput(`${path}: ${part.ours.join(", ")} become one tensor, but are stored as ${dtype} and ${other}`);
    const ours = part.ours.map((our) => shapes.get(our)!);
    const shape = fileShape(part, ours);
    const data = async () => {
      const { part: source } = place.get(part.ours[0])!;
      if (source.form === part.form && isDeepStrictEqual(source.ours, part.ours)) return file.readRaw(source.file);
      if (part.form === "transposed") return transposed(await bytesOf(part.ours[0]), shapes.get(part.ours[0])!, dtype);
      const rows: Bytes[] = [];
      for (const our of part.ours) rows.push(await bytesOf(our));
      return Buffer.concat(rows);
    };
    yield { name: part.file, dtype, shape, data };
  }
}

/** A matrix of `rows` x `columns` values, the other way round. */
function transposed(raw: Bytes, [rows, columns]: readonly number[], dtype: Dtype): Bytes {
  const item = DTYPE_BITS[dtype] / 8;
  const View = item === 2 ? Uint16Array : Uint32Array; // parameters are F32, F16 or BF16
  const [from, to] = [new View(raw.buffer), new View(raw.length / item)];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) to[j * rows + i] = from[i * columns + j];
  }
  return new Uint8Array(to.buffer);
}
