/** Weights in several files with an index, as transformers saves large models: `*.index.json` maps each tensor to its file. */
import { dirname, join } from "node:path";
import { z } from "zod";
import { parseAs, readJson } from "../../files/files.ts";
import { isRecord } from "../../files/json.ts";
import { badInput } from "../../tensor/error.ts";
import { quote } from "./header-json.ts";
import { entryOf, type TensorFile, type TensorInfo, withValues } from "./tensor-file.ts";

const MAX_SHARDS = 256;

/**
 * Open all files of an index with `open`. They must hold the tensors that the index says, no fewer and no more, and lie beside
 * it: a name with a path in it is refused. Throws `bad-input`.
 */
export async function openSharded(path: string, open: (path: string) => Promise<TensorFile>): Promise<TensorFile> {
  const { weight_map } = parseAs(z.looseObject({ weight_map: z.custom<object>(isRecord) }), await readJson(path), path);
  const shardOf = new Map(Object.entries(weight_map));
  const names = [...new Set(shardOf.values())];
  if (names.length > MAX_SHARDS) throw badInput(`${path} names ${names.length} files; at most ${MAX_SHARDS} are read`);
  const strange = names.find((name) => typeof name !== "string" || !/^\w[\w.-]{0,200}\.(safetensors|bin)$/.test(name));
  if (strange !== undefined)
    throw badInput(`${path} names the file ${quote(String(strange))}; weights must lie beside their index`);
  const shards = new Map<string, TensorFile>();
  const close = async () => {
    for (const shard of shards.values()) await shard.close();
  };
  try {
    for (const name of names) {
      const shard = await open(join(dirname(path), name));
      shards.set(name, shard);
      // before the next one is read: an index of few names bounds what all of them hold
      const other = [...shard.tensors.keys()].find((tensor) => shardOf.get(tensor) !== name);
      if (other !== undefined) throw badInput(`${path} does not say that ${name} holds ${quote(other)}`);
    }
    return opened(path, shardOf, shards, close);
  } catch (error) {
    await close();
    throw error;
  }
}

function opened(
  path: string,
  shardOf: ReadonlyMap<string, string>,
  shards: ReadonlyMap<string, TensorFile>,
  close: () => Promise<void>,
): TensorFile {
  const tensors = new Map<string, TensorInfo>();
  const metadata = new Map<string, string>();
  for (const shard of shards.values()) {
    for (const [tensor, info] of shard.tensors) tensors.set(tensor, info);
    for (const [key, value] of shard.metadata) if (!metadata.has(key)) metadata.set(key, value);
  }
  const missing = [...shardOf].find(([tensor]) => !tensors.has(tensor));
  if (missing !== undefined)
    throw badInput(`${path} says that ${missing[1]} holds ${quote(missing[0])}, and it does not`);
  const shardWith = (name: string): TensorFile => {
    entryOf({ path, tensors }, name);
    return shards.get(shardOf.get(name) as string) as TensorFile;
  };
  return withValues({
    path,
    files: [...shards.values()].flatMap((shard) => shard.files),
    metadata,
    tensors,
    readRaw: async (name) => shardWith(name).readRaw(name),
    readRange: async (name, begin, end, into) => shardWith(name).readRange(name, begin, end, into),
    close,
  });
}
