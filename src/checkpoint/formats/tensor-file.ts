/**
 * What every format of weights is read as: named tensors, each with its dtype and shape, whose bytes are asked for one at a
 * time. Values are viewed in place, so the machine must be little-endian, as all that Node 20 runs on but s390x.
 */
import { badInput } from "../../tensor/error.ts";
import type { IntTensor, Tensor } from "../../tensor/tensor.ts";
import { decodeBF16, decodeF16, encodeBF16, encodeF16 } from "./half.ts";
import { DTYPE_BITS, type Dtype } from "./safetensors-header.ts";

export type Bytes = Uint8Array<ArrayBuffer>;

export interface TensorInfo {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/** A file, or several that belong together, as it lies on disk: row-major little-endian tensors by name. */
export interface TensorSet<Info extends TensorInfo = TensorInfo> {
  /** Named in errors. */
  readonly path: string;
  /** The files that the bytes come from. */
  readonly files: readonly string[];
  /** `__metadata__` of a safetensors header; empty elsewhere. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, Info>;
  /** What in the file was passed over, a sentence each. */
  readonly notes?: readonly string[];
  /** Is it an archive of `torch.jit.save`, as OpenAI's files are? */
  readonly isScript?: boolean;
  /** The bytes as they lie in the file, in a buffer of their own. */
  readRaw(name: string): Promise<Bytes>;
  /** Those from `begin` to before `end`, counted from the tensor's first; in `into`, which is as long, if that helps. */
  readRange(name: string, begin: number, end: number, into?: Bytes): Promise<Bytes>;
  close(): Promise<void>;
}

export interface TensorFile<Info extends TensorInfo = TensorInfo> extends TensorSet<Info> {
  /** The values as float32: F16 and BF16 exactly, F64 rounded; other dtypes are refused. */
  read(name: string): Promise<Tensor>;
  /** `count` values of it from place `from` on, likewise; in the memory of `into`, which has room for them, if that helps. */
  readPart(name: string, from: number, count: number, into?: Float32Array<ArrayBuffer>): Promise<Float32Array>;
  /** The values of an integer or BOOL tensor, which must fit in 32 bits. */
  readInts(name: string): Promise<IntTensor>;
}

interface FloatCodec {
  /** In place, or into `out`, at whose end 16-bit values may lie, or into an array of their own. */
  decode(bytes: Bytes, out?: Float32Array<ArrayBuffer>): Float32Array;
  encode(values: Float32Array): Float32Array | Float64Array | Uint16Array;
  /** From this magnitude on a value rounds to infinity. */
  readonly limit?: number;
}

export const FLOATS: Readonly<Partial<Record<Dtype, FloatCodec>>> = {
  F32: {
    decode: (bytes) => new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4),
    encode: (values) => values,
  },
  F16: { decode: (bytes, out) => decodeF16(halves(bytes), out), encode: encodeF16, limit: 65520 },
  BF16: { decode: (bytes, out) => decodeBF16(halves(bytes), out), encode: encodeBF16, limit: 511 * 2 ** 119 },
  F64: { decode: (bytes) => Float32Array.from(new Float64Array(bytes.buffer)), encode: (v) => Float64Array.from(v) },
};

const halves = ({ buffer, byteOffset, length }: Bytes): Uint16Array => new Uint16Array(buffer, byteOffset, length / 2);

const INTEGERS: Readonly<Partial<Record<Dtype, (bytes: Bytes) => ArrayLike<number | bigint>>>> = {
  BOOL: (bytes) => bytes,
  U8: (bytes) => bytes,
  I8: (bytes) => new Int8Array(bytes.buffer),
  I16: (bytes) => new Int16Array(bytes.buffer),
  U16: (bytes) => new Uint16Array(bytes.buffer),
  I32: (bytes) => new Int32Array(bytes.buffer),
  U32: (bytes) => new Uint32Array(bytes.buffer),
  I64: (bytes) => new BigInt64Array(bytes.buffer),
  U64: (bytes) => new BigUint64Array(bytes.buffer),
};

/** The entry of a name; throws `bad-input` when there is none. */
export function entryOf<Info extends TensorInfo>(
  { path, tensors }: Pick<TensorSet<Info>, "path" | "tensors">,
  name: string,
): Info {
  const entry = tensors.get(name);
  if (entry === undefined) throw badInput(`${path} has no tensor ${name}`);
  return entry;
}

/** Values on top of bytes. */
export function withValues<Info extends TensorInfo>(set: TensorSet<Info>): TensorFile<Info> {
  const { path, readRaw, readRange } = set;
  const codecOf = (name: string): FloatCodec => {
    const { dtype } = entryOf(set, name);
    const codec = FLOATS[dtype];
    if (codec === undefined) throw badInput(`${path}: tensor ${name} holds ${dtype}, not floating point values`);
    return codec;
  };
  return {
    ...set,
    async read(name) {
      const { shape } = entryOf(set, name);
      return { shape, data: codecOf(name).decode(await readRaw(name)) };
    },
    async readPart(name, from, count, into) {
      const { decode } = codecOf(name);
      const item = DTYPE_BITS[entryOf(set, name).dtype] / 8;
      const out = item <= 4 ? into?.subarray(0, count) : undefined;
      const end = out && new Uint8Array(out.buffer, out.byteOffset + (4 - item) * count, item * count);
      return decode(await readRange(name, from * item, (from + count) * item, end), out);
    },
    async readInts(name) {
      const { dtype, shape } = entryOf(set, name);
      const decode = INTEGERS[dtype];
      if (decode === undefined) throw badInput(`${path}: tensor ${name} holds ${dtype}, not integers`);
      const values = decode(await readRaw(name));
      const data = Int32Array.from(values as ArrayLike<number | bigint>, Number);
      if (data.some((value, i) => value !== Number(values[i])))
        throw badInput(`${path}: tensor ${name} holds integers of more than 32 bits`);
      return { shape, data };
    },
  };
}
