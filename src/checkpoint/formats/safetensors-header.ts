/** The JSON header of a safetensors file, text <-> tensor table, held to all rules of huggingface/safetensors (tensor.rs). */
import { badInput } from "../../tensor/error.ts";
import { utf8 } from "../../tensor/printable.ts";
import { type EntryJson, parseHeaderJson, quote } from "./header-json.ts";

/** Bits of one value. The official writer sorts tensors by this order, last dtype first. */
export const DTYPE_BITS = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

export type Dtype = keyof typeof DTYPE_BITS;

const DTYPES = Object.keys(DTYPE_BITS) as Dtype[];
const MAX_RANK = 64;

/** Where a tensor lies: bytes [begin, end) counted from the start of the buffer, not of the file. */
export interface TensorEntry {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
}

type Fail = (reason: string) => never;

/** Read the header's bytes. `bufferLength` is what is left of the file behind them; `file` is named in errors. */
export function parseHeader(bytes: Uint8Array, bufferLength: number, file: string): Header {
  const fail: Fail = (reason) => {
    throw badInput(`${file} is not a sound safetensors file: ${reason}`);
  };
  if (bytes[0] !== 0x7b) fail("its header does not begin with {");
  const json = parseHeaderJson(utf8(bytes) ?? fail("its header is not UTF-8"), fail);
  const tensors = new Map<string, TensorEntry>();
  for (const [name, entry] of json.tensors) {
    const found = tensorEntry(entry, (reason) => fail(`tensor ${quote(name)} ${reason}`));
    tensors.set(name, found);
  }
  checkCover(tensors, bufferLength, fail);
  return { metadata: json.metadata, tensors };
}

function tensorEntry({ dtype, shape, data_offsets: offsets }: EntryJson, fail: Fail): TensorEntry {
  if (!isDtype(dtype)) return fail(`has the unknown dtype ${quote(dtype ?? "none")}`);
  if (shape === undefined) return fail("has no shape");
  if (shape.length > MAX_RANK) return fail(`has ${shape.length} dimensions; at most ${MAX_RANK} are read`);
  if (offsets?.length !== 2) return fail("has no data_offsets of two numbers");
  const [begin, end] = offsets;
  const length = byteLength(dtype, shape);
  if (length === undefined) return fail(`has a shape too large or not made of whole bytes: [${shape}]`);
  if (end - begin !== length) {
    return fail(`needs ${length} bytes for ${dtype} [${shape}], its offsets ${begin} to ${end} give ${end - begin}`);
  }
  return { dtype, shape, begin, end };
}

function isDtype(name: string | undefined): name is Dtype {
  return name !== undefined && Object.hasOwn(DTYPE_BITS, name);
}

/** Bytes of a tensor; undefined when the count leaves the safe integers on the way or the bits fill no whole byte. */
export function byteLength(dtype: Dtype, shape: readonly number[]): number | undefined {
  let bits: number = DTYPE_BITS[dtype];
  for (const size of shape) {
    bits *= size;
    if (!Number.isSafeInteger(bits)) return undefined;
  }
  return bits % 8 === 0 ? bits / 8 : undefined;
}

/** In order of offsets each tensor begins where the one before ended, and the last ends with the buffer. */
function checkCover(tensors: ReadonlyMap<string, TensorEntry>, bufferLength: number, fail: Fail): void {
  const ordered = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let reached = 0;
  for (const [name, { begin, end }] of ordered) {
    if (begin < reached)
      fail(`tensor ${quote(name)} overlaps the one before it (begins at ${begin}, before ${reached})`);
    if (begin > reached) fail(`there is a hole before tensor ${quote(name)} (bytes ${reached} to ${begin})`);
    reached = end;
  }
  if (reached > bufferLength) fail(`it is cut short: its tensors need ${reached} bytes and ${bufferLength} are there`);
  if (reached < bufferLength) fail(`${bufferLength - reached} bytes at its end belong to no tensor`);
}

export interface TensorShape {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/**
 * The official writer's order (largest alignment first, then name by UTF-8 bytes) and the length-prefixed header for it,
 * padded with spaces to a multiple of 8 bytes.
 */
export function layOut<T extends TensorShape>(
  tensors: Iterable<T>,
  metadata: ReadonlyMap<string, string>,
): { ordered: T[]; header: Uint8Array } {
  const ordered = [...tensors].sort(
    (a, b) =>
      DTYPES.indexOf(b.dtype) - DTYPES.indexOf(a.dtype) || Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)),
  );
  const fields: string[] = [];
  if (metadata.size > 0) fields.push(`"__metadata__":${JSON.stringify(Object.fromEntries(metadata))}`);
  let offset = 0;
  const seen = new Set(["__metadata__"]);
  for (const { name, dtype, shape } of ordered) {
    const length = byteLength(dtype, shape);
    if (length === undefined) throw new RangeError(`no byte length for tensor ${quote(name)}: ${dtype} [${shape}]`);
    if (seen.has(name)) throw new RangeError(`tensor name ${quote(name)} is taken`);
    seen.add(name);
    fields.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [offset, offset + length] })}`);
    offset += length;
  }
  const json = Buffer.from(`{${fields.join(",")}}`);
  const padded = Math.ceil(json.length / 8) * 8;
  const header = Buffer.alloc(8 + padded, 0x20);
  header.writeBigUInt64LE(BigInt(padded));
  header.set(json, 8);
  return { ordered, header };
}
