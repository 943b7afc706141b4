/** Results on disk by their address: FOLDER/HASH.json, one each. Whoever asks for the same gets it without computing. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "../files/atomic.ts";
import { isFile, readJson } from "../files/files.ts";
import { type Address, hashOf } from "./address.ts";

export interface Stored extends Address {
  /** How it came here, if not by running the job. */
  readonly note?: string;
  readonly result: Readonly<Record<string, unknown>>;
}

export interface Store {
  readonly folder: string;
  /** What is kept under this hash: undefined where that is nothing, half a file, or something else. */
  get(hash: string): Promise<Stored | undefined>;
  /** Keep a result, without its pictures. Two processes that keep the same one are harmless: each file appears whole. */
  put(address: Address, result: object, note?: string): Promise<void>;
}

const schema = z.looseObject({
  job: z.string(),
  spec: z.record(z.string(), z.unknown()),
  schema: z.string(),
  tbar: z.string(),
  note: z.string().optional(),
  result: z.record(z.string(), z.unknown()),
});

/** A clean result with its trials has 10,000 values. */
const limits = { bytes: 64 * 2 ** 20, values: 5e6, keys: 2e6 };
const pictures: readonly string[] = ["examples", "triggerPicture"];

export function openStore(folder: string): Store {
  const fileOf = (hash: string) => join(folder, `${hash}.json`);
  return {
    folder,
    async get(hash) {
      if (!(await isFile(fileOf(hash)))) return undefined;
      const read = schema.safeParse(await readJson(fileOf(hash), limits).catch(() => undefined));
      if (!read.success || hashOf(read.data) !== hash) return undefined;
      const { schema: stated, result } = read.data;
      return result.schema === undefined || result.schema === stated ? read.data : undefined; // 0.1.0 wrote none
    },
    async put(address, result, note) {
      const kept = Object.fromEntries(Object.entries(result).filter(([key]) => !pictures.includes(key)));
      await mkdir(folder, { recursive: true });
      const stored: Stored = { ...address, ...(note !== undefined && { note }), result: kept };
      await writeFileAtomic(fileOf(hashOf(address)), `${JSON.stringify(stored, null, 1)}\n`, { force: true });
    },
  };
}
