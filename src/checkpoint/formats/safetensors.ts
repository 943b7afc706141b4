/**
 * safetensors files: 8 bytes header length, JSON header, one buffer of row-major little-endian tensors, read and written
 * tensor by tensor.
 */
import type { Hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { type WriteOptions, writeFileAtomic } from "../../files/atomic.ts";
import { openFile, readBytes } from "../../files/files.ts";
import { badInput } from "../../tensor/error.ts";
import { sameShape, type Tensor } from "../../tensor/tensor.ts";
import { refusePolyglot } from "./polyglot.ts";
import {
  byteLength,
  type Dtype,
  type Header,
  layOut,
  parseHeader,
  type TensorEntry,
  type TensorShape,
} from "./safetensors-header.ts";
import { type Bytes, entryOf, FLOATS, type TensorFile, withValues } from "./tensor-file.ts";

/** The format allows 100 MB, which would take seconds and gigabytes to read; a tensor takes about a hundred bytes of it. */
const MAX_HEADER = 2 ** 24;

/** Its tensors know their places in the file. */
export type SafetensorsFile = TensorFile<TensorEntry>;

/** Open a file and check its whole header. Throws `bad-input` when it is missing, cut short or breaks a rule of the format. */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    if (size < 8) throw badInput(`${path} is not a safetensors file: it has ${size} bytes`);
    const prefix = await readBytes(file, 0, 8, path);
    const headerLength = new DataView(prefix.buffer).getBigUint64(0, true);
    if (headerLength > MAX_HEADER || headerLength > size - 8)
      throw badInput(`${path} is not a sound safetensors file: a header of ${headerLength} bytes in a file of ${size}`);
    const start = 8 + Number(headerLength);
    const header = parseHeader(await readBytes(file, 8, start - 8, path), size - start, path);
    await refusePolyglot(file, path, "other");
    return openedFile(path, file, start, header);
  } catch (error) {
    await file.close();
    throw error;
  }
}

function openedFile(path: string, file: FileHandle, start: number, header: Header): SafetensorsFile {
  const readRange = (name: string, from: number, to: number, into?: Bytes) => {
    const { begin } = entryOf({ path, tensors: header.tensors }, name);
    return readBytes(file, start + begin + from, to - from, path, into);
  };
  return withValues({
    ...header,
    path,
    files: [path],
    readRaw(name) {
      const { begin, end } = entryOf({ path, tensors: header.tensors }, name);
      return readRange(name, 0, end - begin);
    },
    readRange,
    close: () => file.close(),
  });
}

export interface TensorSource extends TensorShape {
  /**
   * Float32 values, to be encoded as `dtype`, or the bytes themselves; or either piece by piece, each left as it is until the second
   * one after it is asked for. Asked for once, when its turn comes.
   */
  readonly data: () => Whole | Promise<Whole> | Pieces;
}

export interface SafetensorsContent {
  readonly tensors: Iterable<TensorSource>;
  readonly metadata?: ReadonlyMap<string, string>;
  /** Told all bytes, so that nobody need read them again to know their hash. Not together with `lateMetadata`. */
  readonly hash?: Pick<Hash, "update">;
  /** Asked for when all tensors are written: metadata to put in place of the first, of the same length. */
  readonly lateMetadata?: () => Promise<ReadonlyMap<string, string>>;
}

type Whole = Tensor | Uint8Array;
export type Pieces = AsyncIterable<Float32Array | Uint8Array>;

/**
 * Write a file in the official writer's order, holding one tensor or piece at a time. Appears whole or not at all.
 * Throws `bad-input` when a finite value is too large for its dtype, and as `writeFileAtomic` does.
 */
export async function writeSafetensors(
  path: string,
  { tensors, metadata = new Map(), hash, lateMetadata }: SafetensorsContent,
  options: WriteOptions = {},
): Promise<void> {
  const { ordered, header } = layOut(tensors, metadata);
  await writeFileAtomic(
    path,
    async (write, overwrite) => {
      const put = (bytes: Uint8Array) => {
        hash?.update(bytes);
        return write(bytes);
      };
      await put(header);
      for (const source of ordered) for await (const bytes of bytesOf(source)) await put(bytes);
      if (lateMetadata === undefined) return;
      const { header: last } = layOut(ordered, await lateMetadata());
      if (last.length !== header.length)
        throw new RangeError(`${path}: its last header is longer or shorter than its first`);
      await overwrite(last);
    },
    options,
  );
}

async function* bytesOf({ name, dtype, shape, data }: TensorSource): AsyncGenerator<Uint8Array> {
  const found = await data();
  if ("shape" in found && !sameShape(found.shape, shape))
    throw new RangeError(`${name}: values of shape [${found.shape}] for [${shape}]`);
  const pieces = found instanceof Uint8Array ? [found] : "shape" in found ? [found.data] : found;
  let length = 0;
  for await (const piece of pieces) {
    const bytes = piece instanceof Uint8Array ? piece : encodeFloats(name, dtype, piece);
    length += bytes.length;
    yield bytes;
  }
  if (length !== byteLength(dtype, shape)) throw new RangeError(`${name}: ${length} bytes for ${dtype} [${shape}]`);
}

function encodeFloats(name: string, dtype: Dtype, values: Float32Array): Uint8Array {
  const codec = FLOATS[dtype];
  if (codec === undefined) throw new RangeError(`${name}: float32 values cannot be stored as ${dtype}`);
  const { limit } = codec;
  for (let i = 0; limit !== undefined && i < values.length; i++) {
    if (Math.abs(values[i]) < limit || !Number.isFinite(values[i])) continue;
    throw badInput(`tensor ${name} holds ${values[i]}, too large for ${dtype}`);
  }
  const encoded = codec.encode(values);
  return new Uint8Array(encoded.buffer, encoded.byteOffset, encoded.byteLength);
}
