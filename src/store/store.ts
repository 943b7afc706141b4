/** Results by their address: HASH.json in a folder or a bucket, one each. Whoever asks for the same gets it without computing. */
import { z } from "zod";
import { parseJson } from "../files/json.ts";
import { type Address, hashOf } from "./address.ts";
import { bucketDocuments, isBucket } from "./bucket.ts";
import { type Documents, folderDocuments, mostBytes } from "./documents.ts";

export interface Stored extends Address {
  /** How it came here, if not by running the job. */
  readonly note?: string;
  readonly result: Readonly<Record<string, unknown>>;
}

export interface Store extends Documents {
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
const limits = { bytes: mostBytes, values: 5e6, keys: 2e6 };
const pictures: readonly string[] = ["examples", "triggerPicture"];

/** A folder, or s3://BUCKET/PREFIX. */
export function openStore(place: string): Store {
  const documents = isBucket(place) ? bucketDocuments(place) : folderDocuments(place);
  const fileOf = (hash: string) => `${hash}.json`;
  return {
    ...documents,
    async get(hash) {
      const text = await documents.read(fileOf(hash));
      const read = schema.safeParse(text && parsed(text, fileOf(hash)));
      if (!read.success || hashOf(read.data) !== hash) return undefined;
      const { schema: stated, result } = read.data;
      return result.schema === undefined || result.schema === stated ? read.data : undefined; // 0.1.0 wrote none
    },
    async put(address, result, note) {
      const kept = Object.fromEntries(Object.entries(result).filter(([key]) => !pictures.includes(key)));
      const stored: Stored = { ...address, ...(note !== undefined && { note }), result: kept };
      await documents.write(fileOf(hashOf(address)), `${JSON.stringify(stored, null, 1)}\n`);
    },
  };
}

/** Undefined of what is no JSON. */
function parsed(text: Uint8Array, name: string): unknown {
  try {
    return parseJson(Buffer.from(text), name, limits);
  } catch {
    return undefined;
  }
}
