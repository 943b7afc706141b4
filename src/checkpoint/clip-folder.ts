/** CLIP checkpoints on disk: a Hugging Face or open_clip folder, or a lone file. */
import { dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { sha256Files } from "../files/files.ts";
import { badInput, unknownName } from "../tensor/error.ts";
import { printable } from "../tensor/printable.ts";
import type { Tensor, Weights } from "../tensor/tensor.ts";
import { checkFinite, checkTensors, checkVariance } from "./checks.ts";
import { assumedKey, assumedSettings, withActivation } from "./config/assumed.ts";
import type { Activation, ClipConfig } from "./config/config.ts";
import { inferConfig } from "./config/infer-config.ts";
import type { Preprocess } from "./config/preprocess.ts";
import { readSettings } from "./config/settings.ts";
import { findWeights } from "./find-weights.ts";
import { quote } from "./formats/header-json.ts";
import { withTensors } from "./formats/open-weights.ts";
import type { Dtype } from "./formats/safetensors-header.ts";
import type { TensorFile, TensorInfo } from "./formats/tensor-file.ts";
import { refuseUnknown, sortOut } from "./names/bookkeeping.ts";
import { detectLayout, type Layout, partsOf } from "./names/layouts.ts";
import { ourShape, type Part, takeApart, withScalars } from "./names/parts.ts";
import { chooseTensors } from "./names/prefix.ts";
import { officialName } from "./official.ts";
import { type Parameters, parametersOf } from "./pieces.ts";

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
  return withTensors(weightsFile, (file) => checkpointOf(path, file, options));
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
      withWeights(checkpoint, async (file) => {
        const weights = new Map<string, Tensor>();
        for (const part of parts) {
          for (const [i, value] of (await readPart(file, part)).entries()) weights.set(part.ours[i], value);
        }
        return weights;
      }),
    tensor: async (name) => {
      const part = parts.find(({ ours }) => ours.includes(name));
      if (part === undefined) throw unknownName("parameter", name, [...checkpoint.dtypes.keys()]);
      return withWeights(checkpoint, async (file) => (await readPart(file, part))[part.ours.indexOf(name)]);
    },
    stream: (work) => withWeights(checkpoint, (file) => work(parametersOf(file, parts))),
    sha256: () => sha256Files(file.files),
  };
  return checkpoint;
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
export function withWeights<T>(checkpoint: Checkpoint, work: (file: TensorFile) => Promise<T>): Promise<T> {
  return withTensors(checkpoint.weightsFile, async (file) => {
    if (isDeepStrictEqual(file.tensors, checkpoint.tensors)) return work(file);
    throw badInput(`${file.path} changed since it was opened`);
  });
}

/** The parameters that a tensor of the file holds, checked. */
export async function readPart(file: TensorFile, part: Part): Promise<Tensor[]> {
  const value = await file.read(part.file);
  checkFinite(part.file, value, file.path);
  checkVariance(part.file, value, file.path);
  return takeApart(part, value);
}
