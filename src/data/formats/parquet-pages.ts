/**
 * The pages of a Parquet column, one at a time and in any order, where hyparquet reads whole row groups. All lengths in the file are checked
 * before anything is allocated.
 */
import type { FileHandle } from "node:fs/promises";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { decompress as unpackZstd } from "fzstd";
import { parquetHeader } from "hyparquet/src/column.js";
import { compressors } from "hyparquet-compressors";
import { decode, type Fail, type Input, part, runs, uint32, type Value } from "./parquet-values.ts";
import { thriftLength } from "./thrift.ts";

export interface Column {
  readonly type: string;
  readonly codec: string;
  /** Levels at which a value is there; 0 where it always is. */
  readonly maxDefinition: number;
  readonly maxRepetition: number;
  /** Bytes of the file that hold it, in one row group. */
  readonly start: number;
  readonly end: number;
  /** Values with nulls. */
  readonly values: number;
  /** Labels or captions: pages of a few MiB. */
  readonly isText?: boolean;
}

export interface Page {
  readonly header: ReturnType<typeof parquetHeader>;
  /** Of the first byte behind the header. */
  readonly offset: number;
  readonly values: number;
  /** Uncompressed. */
  readonly bytes: number;
}

const maxValues = 2 ** 24;
/** A dictionary has no more entries than its column has values, but for writers that keep one for many columns. */
const maxUnusedEntries = 2 ** 16;

/** Where the pages of a column lie: the dictionary first, if there is one. Reads their headers alone. */
export async function pagesOf(
  handle: FileHandle,
  column: Column,
  fail: Fail,
): Promise<{ dictionary?: Page; data: Page[] }> {
  const data: Page[] = [];
  let dictionary: Page | undefined;
  let left = column.values;
  for (let at = column.start; at < column.end && left > 0; ) {
    const { header, length } = await readHeader(handle, at, column.end, fail);
    const { type, compressed_page_size: stored, uncompressed_page_size: bytes } = header;
    const offset = at + length;
    if (!(stored >= 0 && stored <= column.end - offset))
      fail(`a page of ${stored} bytes at ${at} does not fit its column`);
    const free = column.isText ? 2 ** 23 : 2 ** 26; // an image may be of one colour; a text of 64 MiB takes six times as much in memory
    if (!(bytes >= 0 && bytes <= free + 4 * stored)) fail(`a page at ${at} claims ${bytes} bytes in ${stored}`);
    const values =
      (header.data_page_header ?? header.data_page_header_v2 ?? header.dictionary_page_header)?.num_values ?? 0;
    const isData = type === "DATA_PAGE" || type === "DATA_PAGE_V2";
    const most = isData ? Math.min(left, maxValues) : Math.max(column.values, maxUnusedEntries);
    if (!(values >= 0 && values <= most)) fail(`a page at ${at} claims ${values} values`);
    if (isData) {
      if (data.length > column.values) fail(`${data.length} pages for ${column.values} values`);
      data.push({ header, offset, values, bytes });
      left -= values;
    } else if (type === "DICTIONARY_PAGE") dictionary = { header, offset, values, bytes };
    at = offset + stored;
  }
  if (left > 0) fail(`${left} of ${column.values} values are missing`);
  return { dictionary, data };
}

async function readHeader(handle: FileHandle, at: number, end: number, fail: Fail) {
  for (const size of [512, 65_536]) {
    // statistics may stand in it
    const bytes = new Uint8Array(Math.min(size, end - at));
    await handle.read(bytes, 0, bytes.length, at);
    const reader = { view: new DataView(bytes.buffer), offset: 0 };
    try {
      thriftLength(bytes);
      return { header: parquetHeader(reader), length: reader.offset };
    } catch {} // more bytes may be needed
  }
  return fail(`no page header at ${at}`);
}

/** The values of a page, undefined where there is none, and at which level each repeats (0 begins a row); these only where values repeat. */
export async function readPage(
  handle: FileHandle,
  column: Column,
  page: Page,
  dictionary: readonly Value[] | undefined,
  fail: Fail,
): Promise<{ values: Value[]; repetition?: Uint32Array }> {
  const { header, values: count } = page;
  const stored = new Uint8Array(header.compressed_page_size);
  await handle.read(stored, 0, stored.length, page.offset);
  const v2 = header.data_page_header_v2;
  const levels = v2 ? v2.repetition_levels_byte_length + v2.definition_levels_byte_length : 0;
  if (!(levels >= 0 && levels <= stored.length && levels <= page.bytes)) fail(`levels of ${levels} bytes in a page`);
  const rest = stored.subarray(levels);
  const packed = v2?.is_compressed !== false;
  const body = packed ? decompress(rest, column.codec, page.bytes - levels, fail) : rest;
  const input: Input = { bytes: body, at: 0, fail };
  const level = (most: number, length: number | undefined, from: number) => {
    if (most === 0) return undefined;
    const source = length === undefined ? part(input, uint32(input)) : part({ bytes: stored, at: from, fail }, length);
    return runs({ bytes: source, at: 0, fail }, 32 - Math.clz32(most), count);
  };
  const repetition = level(column.maxRepetition, v2?.repetition_levels_byte_length, 0);
  const definition = level(
    column.maxDefinition,
    v2?.definition_levels_byte_length,
    v2?.repetition_levels_byte_length ?? 0,
  );
  const there = definition?.reduce((sum, d) => sum + Number(d === column.maxDefinition), 0) ?? count;
  const encoding = (v2 ?? header.data_page_header)?.encoding ?? "PLAIN"; // a dictionary is plain
  const found = decode(input, column.type, encoding, there, dictionary);
  if (definition === undefined) return { values: found, repetition };
  let next = 0;
  const values = Array.from(definition, (d) => (d === column.maxDefinition ? found[next++] : undefined));
  return { values, repetition };
}

/** The dictionary of a column. */
export async function readDictionary(handle: FileHandle, column: Column, page: Page, fail: Fail): Promise<Value[]> {
  const flat = { ...column, maxDefinition: 0, maxRepetition: 0 };
  return (await readPage(handle, flat, page, undefined, fail)).values;
}

/** Each writes at most `size` bytes, whatever the compressed ones ask for. */
const unpackers: Readonly<Record<string, ((bytes: Uint8Array, size: number) => Uint8Array) | undefined>> = {
  SNAPPY: compressors.SNAPPY,
  GZIP: (bytes, size) => gunzipSync(bytes, { maxOutputLength: size }),
  BROTLI: (bytes, size) => brotliDecompressSync(bytes, { maxOutputLength: size }),
  ZSTD: (bytes, size) => unpackZstd(bytes, new Uint8Array(size)),
  LZ4: compressors.LZ4,
  LZ4_RAW: compressors.LZ4_RAW,
};

function decompress(bytes: Uint8Array, codec: string, size: number, fail: Fail): Uint8Array {
  if (codec === "UNCOMPRESSED") return bytes;
  const unpack = Object.hasOwn(unpackers, codec) ? unpackers[codec] : undefined;
  if (unpack === undefined) return fail(`compression ${codec} is not read`);
  const out = size === 0 ? new Uint8Array(0) : unpack(bytes, size);
  return out.length === size ? out : fail(`a page unpacks to ${out.length} bytes instead of ${size}`);
}
