/** A checkpoint written back as it was read, with new values: always as one safetensors file, for shards are joined and pickles never written. */
import { basename } from "node:path";
import { refuseExisting, refuseFolder, type WriteOptions } from "../files/atomic.ts";
import { isFolder, refusePickleName } from "../files/files.ts";
import { badInput } from "../tensor/error.ts";
import type { Weights } from "../tensor/tensor.ts";
import { checkWeights } from "./checks.ts";
import { type Checkpoint, readPart, withWeights } from "./clip-folder.ts";
import { refuseOtherPixels } from "./config/settings.ts";
import { type SafetensorsContent, type TensorSource, writeSafetensors } from "./formats/safetensors.ts";
import { layOut } from "./formats/safetensors-header.ts";
import type { TensorFile } from "./formats/tensor-file.ts";
import { companions, filesBeside, type SmallFiles, writeModelFolder } from "./model-folder.ts";
import { type Part, putTogether } from "./names/parts.ts";
import { type Change, changedPieces, parametersOf, pieceBuffers, piecesOf, rawPieces, readAhead } from "./pieces.ts";

export interface CheckpointContent {
  /** Where layout, dtypes and kind (folder or file) come from, and all that is not given. */
  readonly like: Checkpoint;
  /** New values by parameter name, all or some; the other tensors are copied as they are. */
  readonly weights: Weights;
  /** Parameters that are changed piece by piece on their way from `like` instead. */
  readonly changes?: ReadonlyMap<string, Change>;
  /** Told the bytes of the weights file. */
  readonly hash?: SafetensorsContent["hash"];
  /** Added to the metadata of `like`. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** More files for the folder, by name; a lone file has no place for them. */
  readonly extraFiles?: SmallFiles;
}

/**
 * Write a checkpoint of the same layout, dtypes and kind as `like`, holding one tensor or piece at a time; a folder gets copies of
 * `like`'s JSON and tokenizer files. Appears whole or not at all. Throws `bad-input` when a value is not finite or too large
 * for its dtype, and when the output exists (without `force`).
 */
export async function writeCheckpoint(
  out: string,
  content: CheckpointContent,
  options: WriteOptions = {},
): Promise<void> {
  const { like, hash, extraFiles = {} } = content;
  checkWeights(content.weights, like.config);
  await withWeights(like, async (source) => {
    const tensors = { tensors: sources(source, content), metadata: mergedMetadata(content), hash };
    if (like.path === like.weightsFile) {
      if (Object.keys(extraFiles).length > 0) throw new RangeError("extra files need a folder to lie in");
      refusePickleName(out);
      return writeSafetensors(out, tensors, options);
    }
    const beside = await filesBeside(like.weightsFile, companions);
    return writeModelFolder(out, { ...beside, ...extraFiles }, [writtenName(like), tensors], options);
  });
}

/**
 * Throws what `writeCheckpoint` would throw of the place alone, with these extra files (or, beside a lone file, files of OUT.NAME): to be
 * asked before the work begins.
 */
export async function refuseCheckpoint(
  out: string,
  like: Checkpoint,
  extra: readonly string[],
  options: WriteOptions,
): Promise<void> {
  if (like.path !== like.weightsFile) {
    const beside = Object.keys(await filesBeside(like.weightsFile, companions));
    return refuseFolder(out, [...beside, ...extra, writtenName(like)], options);
  }
  await refuseOtherPixels(out, like);
  for (const path of [out, ...extra.map((name) => `${out}.${name}`)]) {
    await refuseExisting(path, options);
    if (await isFolder(path)) throw badInput(`cannot write ${path}: it is a folder, and ${like.path} is a file`);
  }
}

function writtenName({ weightsFile, layout }: Checkpoint): string {
  if (weightsFile.endsWith(".safetensors")) return basename(weightsFile);
  return layout === "hf" ? "model.safetensors" : "open_clip_model.safetensors";
}

/** transformers asks for a `format` wherever there is metadata. */
function mergedMetadata({ like, metadata = {} }: CheckpointContent): Map<string, string> {
  const merged = { ...like.metadata, ...metadata };
  return new Map(Object.entries(Object.keys(merged).length > 0 ? { format: "pt", ...merged } : merged));
}

/** The tensors that hold parameters, as `writeCheckpoint` comes to them. */
export function inWritingOrder({ tensors, parts }: Checkpoint): Part[] {
  const partOf = new Map(parts.map((part) => [part.file, part]));
  const files = [...tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
  return layOut(files, new Map()).ordered.flatMap(({ name }) => partOf.get(name) ?? []);
}

/** The file's tensors again: copied as bytes, or encoded anew where one of the parameters in them is given. */
function sources(source: TensorFile, { like, weights, changes = new Map() }: CheckpointContent): TensorSource[] {
  const partOf = new Map(like.parts.map((part) => [part.file, part]));
  const parameters = parametersOf(source, like.parts);
  const changed = inWritingOrder(like).filter(({ ours }) => ours.some((our) => changes.has(our)));
  const names = changed.flatMap(({ ours }) => ours);
  const ahead = readAhead(parameters, piecesOf(names, parameters.shapes));
  const buffer = pieceBuffers();
  const given = async (part: Part) => {
    const some = part.ours.map((our) => weights.get(our));
    const kept = some.includes(undefined) ? await readPart(source, part) : [];
    const all = some.map((value, i) => value ?? kept[i]);
    return putTogether(part, all);
  };
  const ignored = new Set(like.ignored);
  const kept = [...like.tensors].filter(([name]) => !ignored.has(name));
  return kept.map(([name, { dtype, shape }]) => {
    const part = partOf.get(name);
    const data = () => {
      if (part?.ours.some((our) => changes.has(our))) return changedPieces(ahead, part, changes);
      if (part?.ours.some((our) => weights.has(our))) return given(part);
      return rawPieces(source, name, buffer);
    };
    return { name, dtype, shape, data };
  });
}
