/** What a Parquet file says of itself: columns, row groups, and where they lie. Nothing of it is believed beyond the file's size. */
import type { FileHandle } from "node:fs/promises";
import { type FileMetaData, parquetMetadata, type SchemaTree } from "hyparquet";
import { readBytes } from "../../files/files.ts";
import type { Column } from "./parquet-pages.ts";
import type { Fail } from "./parquet-values.ts";
import { thriftLength } from "./thrift.ts";

/**
 * Bytes of a file for each of its rows, and for each caption where a row has a list of them: no image is smaller. What a row takes in memory is then bounded
 * by the size of its file, whatever the file claims and however well its pages are compressed.
 */
export const bytesOfRow = 24;
const maxFooter = 64 * 2 ** 20;
const maxColumns = 4096;

/** The footer: the last bytes are its length and PAR1. */
export async function readFooter(
  handle: FileHandle,
  path: string,
  fail: Fail,
): Promise<{ metadata: FileMetaData; size: number }> {
  const { size } = await handle.stat();
  if (size < 12) fail(`${size} bytes are no Parquet file`);
  const end = Buffer.from(await readBytes(handle, size - 8, 8, path));
  const length = end.readUInt32LE(0);
  if (end.toString("latin1", 4) !== "PAR1")
    fail("it does not end as a Parquet file does: it is another file, or cut short");
  if (length > Math.min(size - 12, maxFooter)) fail(`it claims a footer of ${length} bytes`);
  const footer = await readBytes(handle, size - 8 - length, length + 8, path);
  thriftLength(footer.subarray(0, length));
  const metadata = parquetMetadata(footer.buffer, { geoparquet: false }); // else it steps back by a negative number of children, for ever
  if (metadata.schema.length > maxColumns)
    fail(`it has ${metadata.schema.length} columns; at most ${maxColumns} are read`);
  return { metadata, size };
}

/** A column of values. */
export interface Leaf {
  readonly path: readonly string[];
  readonly type: string;
  readonly isText: boolean;
  readonly maxDefinition: number;
  readonly maxRepetition: number;
}

/** All columns of values in a schema. */
export function leavesOf(tree: SchemaTree, definition = 0, repetition = 0): Leaf[] {
  return tree.children.flatMap((child) => {
    const { repetition_type: kind, type, converted_type, logical_type } = child.element;
    const isText = converted_type === "UTF8" || logical_type?.type === "STRING";
    const deeper = definition + Number(kind !== "REQUIRED");
    const repeated = repetition + Number(kind === "REPEATED");
    if (child.children.length > 0) return leavesOf(child, deeper, repeated);
    return [{ path: child.path, type: type ?? "", isText, maxDefinition: deeper, maxRepetition: repeated }];
  });
}

type RowGroup = FileMetaData["row_groups"][number];

/** What a row group says of a column. */
export function columnIn({ columns }: RowGroup, { path }: Leaf) {
  const name = path.join(".");
  return columns.find(({ meta_data }) => meta_data?.path_in_schema.join(".") === name)?.meta_data;
}

/** Where a column lies in a row group, within a file of `size` bytes. */
export function chunkOf(group: RowGroup, leaf: Leaf, size: number, fail: Fail): Column {
  const name = leaf.path.join(".");
  const data = columnIn(group, leaf);
  if (data === undefined) return fail(`a row group lacks column ${name}`);
  const first = Number(data.data_page_offset);
  const dictionary = Number(data.dictionary_page_offset ?? 0);
  const start = dictionary > 0 ? Math.min(first, dictionary) : first;
  const end = start + Number(data.total_compressed_size);
  const values = Number(data.num_values);
  if (!(start >= 0 && end >= start && end <= size))
    fail(`column ${name} is said to lie at ${start} to ${end} of ${size} bytes`);
  if (!(values >= 0 && values * bytesOfRow <= size))
    fail(`column ${name} claims ${values} values in a file of ${size} bytes`);
  const { maxDefinition, maxRepetition, type } = leaf;
  return { type, codec: data.codec, maxDefinition, maxRepetition, start, end, values };
}
