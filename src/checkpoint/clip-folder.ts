/**
 * CLIP checkpoints on disk: a Hugging Face or open_clip folder, or a lone file. What is read is written back alike, but always as
 * one safetensors file: shards are joined, and pickles are never written.
 */
import { basename, dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import {
  refuseExisting,
  refuseFolder,
  type WriteOptions,
  writeFileAtomic,
  writeFolderAtomic,
} from "../files/atomic.ts";
import { isFile, isFolder, readSmallFile, refusePickleName, sha256Files } from "../files/files.ts";
import { badInput, unknownName } from "../tensor/error.ts";
import { printable } from "../tensor/printable.ts";
import type { Tensor, Weights } from "../tensor/tensor.ts";
import { checkFinite, checkTensors, checkVariance, checkWeights } from "./checks.ts";
import { assumedKey, assumedSettings, withActivation } from "./config/assumed.ts";
import type { Activation, ClipConfig } from "./config/config.ts";
import { inferConfig } from "./config/infer-config.ts";
import type { Preprocess } from "./config/preprocess.ts";
import { readSettings, refuseOtherPixels } from "./config/settings.ts";
import { findWeights } from "./find-weights.ts";
import { quote } from "./formats/header-json.ts";
import { openWeights } from "./formats/open-weights.ts";
import { type SafetensorsContent, type TensorSource, writeSafetensors } from "./formats/safetensors.ts";
import { type Dtype, layOut } from "./formats/safetensors-header.ts";
import type { TensorFile, TensorInfo } from "./formats/tensor-file.ts";
import { refuseUnknown, sortOut } from "./names/bookkeeping.ts";
import { detectLayout, type Layout, partsOf } from "./names/layouts.ts";
import { ourShape, type Part, putTogether, takeApart, withScalars } from "./names/parts.ts";
import { chooseTensors } from "./names/prefix.ts";
import { officialName } from "./official.ts";
import {
  type Change,
  changedPieces,
  type Parameters,
  parametersOf,
  pieceBuffers,
  piecesOf,
  rawPieces,
  readAhead,
} from "./pieces.ts";

/** A model on disk, its header and JSON read and checked, its values not yet. Parameters have Hugging Face's names. */
export interface Checkpoint {
  /** As it was given: a folder or a file. */
  readonly path: string;
  /** The file with the weights, or the index of several. */
  readonly weightsFile: string;
  readonly layout: Layout;
  readonly config: ClipConfig;
  readonly preprocess: Preprocess;
  /** `__metadata__` of the safetensors header. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The file's tensors, by its own names. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** What stands before all names of the model's, up to and with a dot; usually nothing. It is written back. */
  readonly prefix: string;
  /** How they hold the parameters. */
  readonly parts: readonly Part[];
  /** Names of those that hold none but are known (integer buffers, masks): written back as they are. */
  readonly extras: readonly string[];
  /** Names of those that were passed over because the user said so: neither used nor written back. */
  readonly ignored: readonly string[];
  /** What was taken for granted, a sentence each: a prefix taken off, an activation that no config states. */
  readonly assumptions: readonly string[];
  /** The one of them that a config, if one is written, would state as known. */
  readonly assumed?: string;
  /** How each parameter is stored. */
  readonly dtypes: ReadonlyMap<string, Dtype>;
  /** All parameters as float32. Throws `bad-input` naming the first tensor with a NaN or an infinity. */
  weights(): Promise<Weights>;
  /** One parameter, checked likewise. */
  tensor(name: string): Promise<Tensor>;
  /** Run `work` with the parameters to be read piece by piece. */
  stream<T>(work: (parameters: Parameters) => Promise<T>): Promise<T>;
  /** SHA-256 of the weights file; of several, that of `sha256sum` of them in the order of their names. */
  sha256(): Promise<string>;
}

/** How a checkpoint is to be read where it leaves that open. */
export interface ReadOptions {
  /** Patterns (`*` any characters, `?` one) of tensors to go on without. */
  readonly ignoreTensors?: readonly string[];
  /** Which model, where a file holds several under different prefixes. */
  readonly prefix?: string;
  /** The activation of the towers, where no config states it or it is wrong. */
  readonly activation?: Activation;
}

/**
 * Open a checkpoint: a folder with model.safetensors (Hugging Face), its shards, open_clip_model.safetensors or PyTorch's .bin, or
 * a file of weights, whose neighbours (config.json or open_clip_config.json, ...) count as in a folder. Without a config the
 * sizes are inferred.
 * Throws `bad-input` when something is missing, of another architecture, or of another shape than the config asks for; and when a tensor
 * is neither used, nor known to change nothing, nor passed over by `ignoreTensors`.
 */
export async function readCheckpoint(path: string, options: ReadOptions = {}): Promise<Checkpoint> {
  const weightsFile = await findWeights(path);
  const file = await openWeights(weightsFile);
  try {
    return await checkpointOf(path, file, options);
  } finally {
    await file.close();
  }
}

async function checkpointOf(path: string, file: TensorFile, options: ReadOptions): Promise<Checkpoint> {
  const { tensors, path: weightsFile } = file;
  const { prefix, bare, ignored } = chooseTensors(tensors.keys(), weightsFile, options);
  const passedOver = new Set(ignored);
  const kept = new Map([...tensors].filter(([name]) => !passedOver.has(name)));
  const layout = detectLayout(bare, weightsFile);
  const named = partsOf(layout, bare).map((part) => ({ ...part, file: prefix + part.file }));
  const parts = withScalars(named, kept);
  let isInferred = false;
  const settings = await readSettings(dirname(weightsFile), layout, () => {
    isInferred = true;
    return inferConfig(ourShapes(parts, kept, weightsFile), weightsFile);
  });
  const { preprocess } = settings;
  const asked = options.activation;
  const config = withActivation(settings.config, { isInferred, asked }, weightsFile);
  checkTensors(parts, kept, config, weightsFile);
  const parameters = new Set(parts.map((part) => part.file));
  const { known, unknown } = await sortOut(file, { layout, prefix, config, parameters, ignored: passedOver });
  refuseUnknown(unknown, weightsFile);
  const isOfficial = isInferred && file.isScript === true && officialName(await sha256Files(file.files)) !== undefined;
  const assumed = assumedSettings(settings.config, { isInferred: isInferred && !isOfficial, asked });
  const assumptions = [
    ...(file.notes ?? []),
    ...(prefix === "" ? [] : [`the prefix ${quote(prefix)} is taken off its tensors' names`]),
    ...(known.includes(`${prefix}logit_bias`) ? ["logit_bias adds the same to every logit and is not used"] : []),
    ...(assumed === undefined ? [] : [assumed]),
    ...(isOfficial ? [] : settings.assumptions),
    ...(file.metadata.has(assumedKey) ? [`when it was converted, ${file.metadata.get(assumedKey)}`] : []),
  ];
  const checkpoint: Checkpoint = {
    path,
    weightsFile,
    layout,
    config,
    preprocess,
    metadata: Object.fromEntries(file.metadata),
    tensors,
    prefix,
    parts,
    extras: known,
    ignored,
    assumptions: assumptions.map((text) => printable(text, 500)),
    ...(assumed !== undefined && { assumed }),
    dtypes: new Map(parts.flatMap((part) => part.ours.map((our) => [our, tensors.get(part.file)!.dtype] as const))),
    weights: () =>
      withFile(checkpoint, async (file) => {
        const weights = new Map<string, Tensor>();
        for (const part of parts) {
          for (const [i, value] of (await readPart(file, part)).entries()) weights.set(part.ours[i], value);
        }
        return weights;
      }),
    tensor: async (name) => {
      const part = parts.find(({ ours }) => ours.includes(name));
      if (part === undefined) throw unknownName("parameter", name, [...checkpoint.dtypes.keys()]);
      return withFile(checkpoint, async (file) => (await readPart(file, part))[part.ours.indexOf(name)]);
    },
    stream: (work) => withFile(checkpoint, (file) => work(parametersOf(file, parts))),
    sha256: () => sha256Files(file.files),
  };
  return checkpoint;
}

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
  readonly extraFiles?: Readonly<Record<string, string | Uint8Array>>;
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
  await withFile(like, async (source) => {
    const tensors = { tensors: sources(source, content), metadata: mergedMetadata(content), hash };
    if (like.path === like.weightsFile) {
      if (Object.keys(extraFiles).length > 0) throw new RangeError("extra files need a folder to lie in");
      refusePickleName(out);
      await writeSafetensors(out, tensors, options);
      return;
    }
    await writeFolderAtomic(
      out,
      async (folder) => {
        for (const name of COMPANIONS) {
          const from = join(dirname(like.weightsFile), name);
          if (await isFile(from)) await writeFileAtomic(join(folder, name), await readSmallFile(from));
        }
        for (const [name, data] of Object.entries(extraFiles)) await writeFileAtomic(join(folder, name), data);
        await writeSafetensors(join(folder, writtenName(like)), tensors);
      },
      options,
    );
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
    const beside = await Promise.all(COMPANIONS.map((name) => isFile(join(dirname(like.weightsFile), name))));
    return refuseFolder(out, [...COMPANIONS.filter((_, i) => beside[i]), ...extra, writtenName(like)], options);
  }
  await refuseOtherPixels(out, like);
  for (const path of [out, ...extra.map((name) => `${out}.${name}`)]) {
    await refuseExisting(path, options);
    if (await isFolder(path)) throw badInput(`cannot write ${path}: it is a folder, and ${like.path} is a file`);
  }
}

/** The tokenizer, in any of its forms, and the licence: they belong to a model however it is stored. */
export const tokenizerCompanions: readonly string[] = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "vocab.json",
  "merges.txt",
  "bpe_simple_vocab_16e6.txt.gz",
  "LICENSE",
];

/** What lies beside the weights and is copied byte for byte. */
const COMPANIONS: readonly string[] = [
  "config.json",
  "open_clip_config.json",
  "preprocessor_config.json",
  "processor_config.json",
  ...tokenizerCompanions,
];

function writtenName({ weightsFile, layout }: Checkpoint): string {
  if (weightsFile.endsWith(".safetensors")) return basename(weightsFile);
  return layout === "hf" ? "model.safetensors" : "open_clip_model.safetensors";
}

function ourShapes(
  parts: readonly Part[],
  tensors: ReadonlyMap<string, TensorInfo>,
  file: string,
): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  for (const part of parts) {
    const entry = tensors.get(part.file);
    if (entry === undefined) continue;
    const shape = ourShape(part, entry.shape);
    if (shape === undefined) throw badInput(`${file}: tensor ${part.file} has the impossible shape [${entry.shape}]`);
    for (const name of part.ours) shapes.set(name, shape);
  }
  return shapes;
}

/** Run `work` on the weights file, which must still have the header it had. */
async function withFile<T>(checkpoint: Checkpoint, work: (file: TensorFile) => Promise<T>): Promise<T> {
  const file = await openWeights(checkpoint.weightsFile);
  try {
    const same = isDeepStrictEqual(file.tensors, checkpoint.tensors);
    if (!same) throw badInput(`${file.path} changed since it was opened`);
    return await work(file);
  } finally {
    await file.close();
  }
}

async function readPart(file: TensorFile, part: Part): Promise<Tensor[]> {
  const value = await file.read(part.file);
  checkFinite(part.file, value, file.path);
  checkVariance(part.file, value, file.path);
  return takeApart(part, value);
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
    return putTogether(
      part,
      some.map((value, i) => value ?? kept[i]),
    );
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
