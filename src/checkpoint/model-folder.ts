/** What lies beside a model's weights, and folders that have both. */
import { dirname, join } from "node:path";
import { type WriteOptions, writeFileAtomic, writeFolderAtomic } from "../files/atomic.ts";
import { isFile, readSmallFile } from "../files/files.ts";
import { type SafetensorsContent, writeSafetensors } from "./formats/safetensors.ts";

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

/** All that is copied byte for byte. */
export const companions: readonly string[] = [
  "config.json",
  "open_clip_config.json",
  "preprocessor_config.json",
  "processor_config.json",
  ...tokenizerCompanions,
];

export type SmallFiles = Readonly<Record<string, string | Uint8Array>>;

/** Those of these files that lie beside the weights. */
export async function filesBeside(weightsFile: string, names: readonly string[]): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  for (const name of names) {
    const path = join(dirname(weightsFile), name);
    if (await isFile(path)) files[name] = await readSmallFile(path);
  }
  return files;
}

/** A folder with these files and the weights under this name. Appears whole or not at all; throws as `writeSafetensors` does. */
export async function writeModelFolder(
  out: string,
  files: SmallFiles,
  [name, weights]: readonly [name: string, weights: SafetensorsContent],
  options: WriteOptions,
): Promise<void> {
  const fill = async (folder: string) => {
    for (const [name, data] of Object.entries(files)) await writeFileAtomic(join(folder, name), data);
    await writeSafetensors(join(folder, name), weights);
  };
  await writeFolderAtomic(out, fill, options);
}
