/** A CLIP model ready for work: its checkpoint's settings, tokenizer and runtime. Weights are values beside it. */
import { dirname } from "node:path";
import { type Checkpoint, type ReadOptions, readCheckpoint } from "../checkpoint/clip-folder.ts";
import type { ClipConfig } from "../checkpoint/config/config.ts";
import type { Preprocess } from "../checkpoint/config/preprocess.ts";
import { loadTokenizer, type Tokenize } from "../clip/tokenizer.ts";
import { readTokenizerJson, tokenizerFiles } from "../clip/tokenizer-files.ts";
import type { Runtime } from "../runtime/compile.ts";
import { createRuntime } from "../runtime/compile.ts";
import { onnxRuntime, type RuntimeOptions } from "../runtime/onnxruntime.ts";
import { badInput, type TbarError } from "../tensor/error.ts";
import type { Weights } from "../tensor/tensor.ts";
import { createEncoder, type Encoder } from "./encoder.ts";

export interface Clip {
  readonly config: ClipConfig;
  readonly preprocess: Preprocess;
  readonly tokenize: Tokenize;
  readonly runtime: Runtime;
  readonly encoder: Encoder;
}

export interface LoadedClip extends Clip {
  readonly checkpoint: Checkpoint;
  readonly weights: Weights;
}

/**
 * The tokenizer that lies beside a checkpoint; one that refuses every text where there is none: images can be embedded without. Throws
 * `bad-input` where it cannot be used.
 */
export async function openTokenizer({ path, weightsFile, config }: Checkpoint): Promise<Tokenize> {
  const json = await readTokenizerJson(dirname(weightsFile));
  if (json !== undefined) return loadTokenizer(json, config.text);
  return () => {
    throw noTokenizer(path);
  };
}

/** What a model lacks that has no tokenizer beside its weights, and where to get it. */
export function noTokenizer(path: string): TbarError {
  return badInput(
    `${path} has no tokenizer, so texts cannot be encoded; put the model's own beside its weights (${tokenizerFiles.join(", ")}): ` +
      "OpenAI's and open_clip's CLIP have that of openai/clip-vit-base-patch32 (tbar pull)",
  );
}

export interface LoadOptions extends RuntimeOptions, ReadOptions {
  /** Share this runtime, or what opens it when the model is read, instead of opening one. */
  readonly runtime?: Runtime | (() => Promise<Runtime>);
  /** Ends the process of a model in ONNX files at once. */
  readonly signal?: AbortSignal;
}

/**
 * A model from a Hugging Face or open_clip folder or a .safetensors file, its weights as float32.
 * Throws `bad-input` when something about it is wrong, `unavailable` when the device is.
 */
export async function loadClip(path: string, options: LoadOptions = {}): Promise<LoadedClip> {
  const checkpoint = await readCheckpoint(path, options);
  const { config, preprocess } = checkpoint;
  const tokenize = await openTokenizer(checkpoint);
  const weights = await checkpoint.weights();
  const { runtime: given } = options;
  const runtime = typeof given === "function" ? await given() : (given ?? createRuntime(await onnxRuntime(options)));
  return { ...createClip({ config, preprocess, tokenize, runtime }), checkpoint, weights };
}

/** A model from its settings alone, for weights that come from elsewhere. */
export function createClip(settings: Omit<Clip, "encoder">): Clip {
  const { runtime, config, preprocess, tokenize } = settings;
  return { ...settings, encoder: createEncoder(runtime, config, preprocess, tokenize) };
}
