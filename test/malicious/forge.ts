/** What cases are made of. */
import { bytes, type Storage, tensorOpcodes } from "../torch.ts";

export interface Case {
  readonly kind: string;
  readonly what: string;
  /** By name; the first is what is opened. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** What the message says; `read` where there is nothing to refuse, and the names that are read. */
  readonly refused?: RegExp;
  readonly read?: string;
}

export const four: Storage = { type: "FloatStorage", key: "0", values: 4 };
export const x = tensorOpcodes(four, [4]);
export const storages = { "0": new Uint8Array(16) };

/** A file from the text of its header, whatever that says, and so many bytes behind it. */
export const safetensors = (header: string | Uint8Array, data = 0, claimed?: number) => {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(claimed ?? Buffer.byteLength(header as string)));
  return { "a.safetensors": bytes(length, header, new Uint8Array(data)) };
};
export const u8 = (name: string, begin: number, end: number, shape = `[${end - begin}]`) =>
  `${JSON.stringify(name)}:{"dtype":"U8","shape":${shape},"data_offsets":[${begin},${end}]}`;

/** An index of shards, and one sound shard with a tensor `a`. */
export const index = (weight_map: object) => ({
  "a.safetensors.index.json": bytes(JSON.stringify({ weight_map })),
  ...safetensors(`{${u8("a", 0, 1)}}`, 1),
});
