/** A Hugging Face folder for a model that was made here rather than read. */
import type { WriteOptions } from "../files/atomic.ts";
import { badInput } from "../tensor/error.ts";
import type { Weights } from "../tensor/tensor.ts";
import { checkWeights } from "./checks.ts";
import { type ClipConfig, parameterShapes } from "./config/config.ts";
import type { Preprocess } from "./config/preprocess.ts";
import { preprocessToHf } from "./config/preprocess-hf.ts";
import { configToHf } from "./config/to-hf.ts";
import type { TensorSource } from "./formats/safetensors.ts";
import { type SmallFiles, writeModelFolder } from "./model-folder.ts";

export interface NewCheckpoint {
  readonly config: ClipConfig;
  /** Every parameter of the config, and nothing else. */
  readonly weights: Weights;
  readonly dtype: keyof typeof TORCH_DTYPES;
  readonly preprocess: Preprocess;
  /** Text of a tokenizer.json that has CLIP's `<|startoftext|>` and `<|endoftext|>`. */
  readonly tokenizerJson?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Markdown for README.md. */
  readonly readme?: string;
}

const TORCH_DTYPES = { F32: "float32", F16: "float16", BF16: "bfloat16" } as const;

/** The files that `writeNewCheckpoint` writes, at most. */
export const newCheckpointNames: readonly string[] = [
  "config.json",
  "preprocessor_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "README.md",
  "model.safetensors",
];

/** Write a folder that transformers' CLIPModel and CLIPProcessor load. Appears whole or not at all. */
export async function writeNewCheckpoint(
  folder: string,
  model: NewCheckpoint,
  options: WriteOptions = {},
): Promise<void> {
  const { config, dtype, preprocess, tokenizerJson, metadata = {}, readme } = model;
  const files: SmallFiles = {
    "config.json": json(configToHf(config, TORCH_DTYPES[dtype])),
    "preprocessor_config.json": json(preprocessToHf(preprocess, folder)),
    ...(tokenizerJson !== undefined && {
      "tokenizer.json": tokenizerJson,
      "tokenizer_config.json": json(tokenizerConfig(config.text.contextLength)),
    }),
    ...(readme !== undefined && { "README.md": readme }),
  };
  const header = new Map(Object.entries({ format: "pt", ...metadata }));
  const weights = { tensors: tensorSources(model), metadata: header };
  await writeModelFolder(folder, files, ["model.safetensors", weights], options);
}

function tensorSources({ config, weights, dtype }: NewCheckpoint): TensorSource[] {
  checkWeights(weights, config);
  return [...parameterShapes(config)].map(([name, shape]) => {
    const value = weights.get(name);
    if (value === undefined) throw badInput(`the new model lacks ${name}`);
    return { name, dtype, shape, data: () => value };
  });
}

/** The class that takes tokenizer.json as it is, which CLIPTokenizer does not: it would build its own byte-pair model. */
export function tokenizerConfig(contextLength: number): object {
  return {
    bos_token: "<|startoftext|>",
    eos_token: "<|endoftext|>",
    model_max_length: contextLength,
    pad_token: "<|endoftext|>",
    processor_class: "CLIPProcessor",
    tokenizer_class: "PreTrainedTokenizerFast",
    unk_token: "<|endoftext|>",
  };
}

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;
