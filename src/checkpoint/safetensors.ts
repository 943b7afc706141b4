/**
 * safetensors files: 8 bytes header length, JSON header, one buffer of row-major little-endian tensors, read and written
 * tensor by tensor. Values are viewed in place, so the machine must be little-endian, as all that Node 20 runs on but s390x.
 */
import { constants } from "node:buffer";
import type { FileHandle } from "node:fs/promises";
import { badInput } from "../tensor/error.ts";
import { type IntTensor, sameShape, type Tensor } from "../tensor/tensor.ts";
import { type WriteOptions, writeFileAtomic } from "./atomic.ts";
import { openFile } from "./files.ts";
import { decodeBF16, decodeF16, encodeBF16, encodeF16 } from "./half.ts";
import {
  byteLength,
  type Dtype,
  type Header,
  layOut,
  parseHeader,
  type TensorEntry,
  type TensorShape,
} from "./safetensors-header.ts";

const MAX_HEADER = 100_000_000;

type Bytes = Uint8Array<ArrayBuffer>;

interface FloatCodec {
  decode(bytes: Bytes): Float32Array;
  encode(values: Float32Array): Float32Array | Float64Array | Uint16Array;
  /** From this magnitude on a value rounds to infinity. */
  readonly limit?: number;
}

const FLOATS: Readonly<Partial<Record<Dtype, FloatCodec>>> = {
  F32: { decode: (bytes) => new Float32Array(bytes.buffer), encode: (values) => values },
  F16: { decode: (bytes) => decodeF16(new Uint16Array(bytes.buffer)), encode: encodeF16, limit: 65520 },
  BF16: { decode: (bytes) => decodeBF16(new Uint16Array(bytes.buffer)), encode: encodeBF16, limit: 511 * 2 ** 119 },
  F64: { decode: (bytes) => Float32Array.from(new Float64Array(bytes.buffer)), encode: (v) => Float64Array.from(v) },
};

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

export interface SafetensorsFile {
  readonly path: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** The values as float32: F16 and BF16 exactly, F64 rounded; other dtypes are refused. */
  read(name: string): Promise<Tensor>;
  /** The values of an integer or BOOL tensor, which must fit in 32 bits. */
  readInts(name: string): Promise<IntTensor>;
  /** The bytes as they lie in the file, in a buffer of their own. */
  readRaw(name: string): Promise<Bytes>;
  close(): Promise<void>;
}

/** Open a file and check its whole header. Throws `bad-input` when it is missing, cut short or breaks a rule of the format. */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    if (size < 8) throw badInput(`${path} is not a safetensors file: it has ${size} bytes`);
    const prefix = await readBytes(file, 0, 8, path);
    const headerLength = new DataView(prefix.buffer).getBigUint64(0, true);
    if (headerLength > MAX_HEADER || headerLength > size - 8) {
      throw badInput(`${path} is not a sound safetensors file: a header of ${headerLength} bytes in a file of ${size}`);
    }
    const start = 8 + Number(headerLength);
    const header = parseHeader(await readBytes(file, 8, start - 8, path), size - start, path);
    return openedFile(path, file, start, header);
  } catch (error) {
    await file.close();
    throw error;
  }
}

function openedFile(path: string, file: FileHandle, start: number, header: Header): SafetensorsFile {
  const entryOf = (name: string): TensorEntry => {
    const entry = header.tensors.get(name);
    if (entry === undefined) throw badInput(`${path} has no tensor ${name}`);
    return entry;
  };
  const readRaw = (name: string): Promise<Bytes> => {
    const { begin, end } = entryOf(name);
    return readBytes(file, start + begin, end - begin, path);
  };
  return {
    ...header,
    path,
    readRaw,
    async read(name) {
      const { dtype, shape } = entryOf(name);
      const decode = FLOATS[dtype]?.decode;
      if (decode === undefined) throw badInput(`${path}: tensor ${name} holds ${dtype}, not floating point values`);
      return { shape, data: decode(await readRaw(name)) };
    },
    async readInts(name) {
      const { dtype, shape } = entryOf(name);
      const decode = INTEGERS[dtype];
      if (decode === undefined) throw badInput(`${path}: tensor ${name} holds ${dtype}, not integers`);
      const values = decode(await readRaw(name));
      const data = Int32Array.from(values as ArrayLike<number | bigint>, Number);
      if (data.some((value, i) => value !== Number(values[i]))) {
        throw badInput(`${path}: tensor ${name} holds integers of more than 32 bits`);
      }
      return { shape, data };
    },
    close: () => file.close(),
  };
}

/** Exactly `length` bytes from `position`, in parts, as one read call gives at most 2 GiB. */
async function readBytes(file: FileHandle, position: number, length: number, path: string): Promise<Bytes> {
  if (length > constants.MAX_LENGTH) throw badInput(`${path}: ${length} bytes do not fit into one buffer`);
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const part = Math.min(length - done, 2 ** 28);
    const { bytesRead } = await file.read(bytes, done, part, position + done);
    if (bytesRead === 0) throw badInput(`${path} became shorter while it was read`);
    done += bytesRead;
  }
  return bytes;
}

export interface TensorSource extends TensorShape {
  /** Float32 values, to be encoded as `dtype`, or the bytes themselves. Asked for once, when its turn comes. */
  readonly data: () => Tensor | Uint8Array | Promise<Tensor | Uint8Array>;
}

/**
 * Write a file in the official writer's order, holding one tensor at a time. Appears whole or not at all.
 * Throws `bad-input` when a finite value is too large for its dtype, and as `writeFileAtomic` does.
 */
export async function writeSafetensors(
  path: string,
  content: { tensors: Iterable<TensorSource>; metadata?: ReadonlyMap<string, string> },
  options: WriteOptions = {},
): Promise<void> {
  const { ordered, header } = layOut(content.tensors, content.metadata ?? new Map());
  await writeFileAtomic(
    path,
    async (write) => {
      await write(header);
      for (const source of ordered) await write(await bytesOf(source));
    },
    options,
  );
}

async function bytesOf({ name, dtype, shape, data }: TensorSource): Promise<Uint8Array> {
  const found = await data();
  if (found instanceof Uint8Array) {
    if (found.length !== byteLength(dtype, shape))
      throw new RangeError(`${name}: ${found.length} bytes for ${dtype} [${shape}]`);
    return found;
  }
  if (!sameShape(found.shape, shape)) throw new RangeError(`${name}: values of shape [${found.shape}] for [${shape}]`);
  return encodeFloats(name, dtype, found.data);
}

function encodeFloats(name: string, dtype: Dtype, values: Float32Array): Uint8Array {
  const codec = FLOATS[dtype];
  if (codec === undefined) throw new RangeError(`${name}: float32 values cannot be stored as ${dtype}`);
  const { limit = Number.POSITIVE_INFINITY } = codec;
  for (let i = 0; i < values.length; i++) {
    if (Math.abs(values[i]) < limit || !Number.isFinite(values[i])) continue;
    throw badInput(`tensor ${name} holds ${values[i]}, too large for ${dtype}`);
  }
  const encoded = codec.encode(values);
  return new Uint8Array(encoded.buffer, encoded.byteOffset, encoded.byteLength);
}
