/** Parquet files with images as Hugging Face data sets store them: a struct {bytes, path}, or plain bytes, beside labels or captions. */
import type { FileHandle } from "node:fs/promises";
import { basename } from "node:path";
import { type FileMetaData, parquetMetadata, parquetSchema, type SchemaTree } from "hyparquet";
import { openFile, readBytes } from "../../files/files.ts";
import { parseJson } from "../../files/json.ts";
import { badInput, TbarError } from "../../tensor/error.ts";
import { utf8 } from "../../tensor/printable.ts";
import type { Contents, Dataset } from "../dataset.ts";
import { decoded } from "../images/encoded.ts";
import type { ClassList } from "../sets/class-names.ts";
import { uniqueIds } from "../split.ts";
import { concurrently, filesAtOnce } from "./concurrently.ts";
import { readLabels, type StoredLabel } from "./labels.ts";
import { type Column, type Page, pagesOf, readDictionary, readPage, type Value } from "./parquet-pages.ts";
import { thriftLength } from "./thrift.ts";

/** Names by which the columns go, the likeliest first. */
const names = {
  image: ["image", "img", "jpg", "png", "webp", "photo", "picture", "image_bytes"],
  label: ["label", "fine_label", "labels", "cls", "class", "class_name", "category"],
  path: ["path", "file_name", "filename", "filepath", "image_path", "file", "url", "image_url"],
  caption: ["caption", "captions", "text", "txt", "title", "sentence", "sentences", "alt_text"],
};

const cacheBytes = 64 * 2 ** 20;

/**
 * Bytes of a file for each of its rows, and for each caption where a row has a list of them: no image is smaller. What a row takes in memory is then bounded
 * by the size of its file, whatever the file claims and however well its pages are compressed.
 */
const bytesOfRow = 24;
const maxFooter = 64 * 2 ** 20;
const maxColumns = 4096;

interface Row {
  readonly id: string;
  readonly file: number;
  readonly row: number;
  readonly label?: StoredLabel;
  readonly caption?: string;
}

/**
 * Files with the same columns as one data set, in order. Labels are numbers, or names in text; class names are those that Hugging Face keeps in the file (or `classes`, or the texts found, sorted); a list
 * of captions makes as many examples. Labels and captions are read now, images page by page when asked for; pages of 64 MB are kept. Throws TbarError on anything that does not fit
 * its file, and naming the columns where there is none with images.
 */
export async function openParquet(
  files: readonly string[],
  { classes }: { readonly classes?: ClassList } = {},
): Promise<Dataset> {
  const opened: Table[] = [];
  const read: Row[][] = [];
  await concurrently(files, filesAtOnce, async (file, i) => {
    opened[i] = await openTable(file);
    read[i] = await examplesOf(opened[i], i);
  });
  const rows = read.flat();
  const [{ classNames: own, from }] = opened;
  const { labels, classNames } = readLabels(
    rows.map(({ label }) => label),
    own ?? classes?.names,
    (index, reason) => {
      throw badInput(`${rows[index].id} ${reason}`);
    },
  );
  const ids = uniqueIds(rows.map(({ id }) => id));
  const kept = pageCache();
  const readers = opened.map((table) => imageReader(table, kept));
  const place = (index: number) => `${files[rows[index].file]}: row ${rows[index].row}`;
  const images = {
    name: basename(files[0], ".parquet").replace(/-\d{5}-of-\d{5}.*$/, ""),
    size: rows.length,
    classNames,
    contents: { ...from, ...(own === undefined && classes !== undefined && { classNames: classes.file }) },
    example: (index: number) => ({ id: ids[index], label: labels[index], caption: rows[index].caption }),
    async encoded(index: number) {
      const { file, row } = rows[index];
      const bytes = await readers[file](row);
      if (!(bytes instanceof Uint8Array) || bytes.length === 0) throw badInput(`${place(index)} has no image`);
      return bytes;
    },
    place,
  };
  return decoded(images);
}

/** One file: its row groups and the columns that we read. */
interface Table {
  readonly path: string;
  /** Of each row group. */
  readonly rows: readonly number[];
  readonly image: Chunks;
  readonly label?: Chunks;
  readonly caption?: Chunks;
  readonly classNames?: readonly string[];
  /** The columns that are read, and those that are not. */
  readonly from: Contents;
}

/** A column in each row group. */
type Chunks = readonly Column[];

async function openTable(path: string): Promise<Table> {
  return withFile(path, async (handle, fail) => {
    const { metadata, size } = await readMetadata(handle, path, fail);
    const groups = metadata.row_groups;
    const rows = groups.map(({ num_rows }) => Number(num_rows));
    const count = rows.reduce((sum, n) => sum + n, 0);
    if (rows.some((n) => !(n >= 0)) || !(count * bytesOfRow <= size))
      fail(`it claims ${count} rows with images and has ${size} bytes`);
    if (count === 0) fail("it has no rows");
    const leaves = leavesOf(parquetSchema(metadata), 0, 0);
    const leaf = (wanted: readonly string[], ...types: string[]) =>
      wanted
        .flatMap((name) => leaves.filter(({ path }) => path[0].toLowerCase() === name && path[1] !== "path"))
        .find(({ type }) => types.includes(type));
    const bytes = leaves.filter(({ type, isText }) => type === "BYTE_ARRAY" && !isText);
    const image =
      bytes.find(({ path }) => path.at(-1) === "bytes") ??
      names.image.flatMap((name) => bytes.filter(({ path }) => path[0].toLowerCase() === name)).at(0);
    if (image === undefined || image.maxRepetition > 0) {
      const found = leaves.map(({ path }) => path.join(".")).join(", ");
      const paths = leaves.find(({ path, isText }) => isText && [...names.image, ...names.path].includes(path[0]));
      if (paths !== undefined) return fail(`${onlyPaths(paths)}; it has ${found}`);
      return fail(`no column with images (a struct with bytes, or one of ${names.image.join(", ")}); it has ${found}`);
    }
    const chunks = (leaf: Leaf) => groups.map(({ columns }) => chunkOf(columns, leaf, size, fail));
    const words = (leaf: Leaf) => chunks(leaf).map((chunk) => ({ ...chunk, isText: true }));
    const paths = leaves.find(({ path }) => path.at(-1) === "path" && path[0] === image.path[0]);
    if (paths !== undefined && groups.every((group) => isEmpty(group, image))) fail(onlyPaths(paths));
    const label = leaf(names.label, "INT32", "INT64", "FLOAT", "DOUBLE", "BYTE_ARRAY");
    if (label !== undefined && label.maxRepetition > 0)
      fail(`column ${label.path[0]} has a list of labels for each image; one is needed, in a column of its own`);
    const caption = leaf(names.caption, "BYTE_ARRAY");
    const odd = leaves.find(({ path }) => path.length === 1 && names.label.includes(path[0].toLowerCase()));
    if (label === undefined && caption === undefined && odd !== undefined)
      fail(`column ${odd.path[0]} is stored as ${odd.type}; labels are read from whole numbers, floats and text`);
    const used = new Set([image, label, caption].map((leaf) => leaf?.path[0]));
    const unused = [...new Set(leaves.map(({ path }) => path[0]))].filter((name) => !used.has(name));
    return {
      path,
      rows,
      image: chunks(image),
      label: label && words(label),
      caption: caption && words(caption),
      classNames: label && huggingFaceNames(metadata, label.path[0]),
      from: {
        ...(label && { labels: `column ${label.path[0]}` }),
        ...(caption && { captions: `column ${caption.path[0]}` }),
        ...(unused.length > 0 && {
          notes: [`columns not used: ${unused.slice(0, 8).join(", ")}${unused.length > 8 ? ", ..." : ""}`],
        }),
      },
    };
  });
}

type Fail = (reason: string) => never;

const onlyPaths = ({ path }: Leaf) =>
  `its images are not in it: column ${path.join(".")} holds the names of files. Put a .csv with image,label or image,caption beside the files, or write the images' bytes into the column`;

/** Whether the statistics say that a column has no value in a row group. */
function isEmpty({ columns, num_rows }: FileMetaData["row_groups"][number], { path }: Leaf): boolean {
  const data = columns.find(({ meta_data }) => meta_data?.path_in_schema.join(".") === path.join("."))?.meta_data;
  return data?.statistics?.null_count === num_rows;
}

/** Anything that goes wrong with the bytes, in hyparquet too, is the file's fault. */
async function withFile<T>(path: string, work: (handle: FileHandle, fail: Fail) => Promise<T>): Promise<T> {
  const fail = (reason: string): never => {
    throw badInput(`${path}: ${reason}`);
  };
  const handle = await openFile(path);
  try {
    return await work(handle, fail);
  } catch (cause) {
    if (cause instanceof TbarError) throw cause;
    throw badInput(`${path} is damaged: ${(cause as Error).message}`, cause);
  } finally {
    await handle.close();
  }
}

/** All values of a column, those of each row. */
function columnRows({ path, rows: counts }: Table, chunks: Chunks): Promise<Value[][]> {
  return withFile(path, async (handle, fail) => {
    const rows: Value[][] = [];
    for (const [group, chunk] of chunks.entries()) {
      const before = rows.length;
      const { dictionary, data } = await pagesOf(handle, chunk, fail);
      const entries = dictionary && (await readDictionary(handle, chunk, dictionary, fail));
      for (const page of data) {
        const { values, repetition } = await readPage(handle, chunk, page, entries, fail);
        values.forEach((value, i) => {
          if (repetition !== undefined && repetition[i] > 0) rows.at(-1)?.push(value);
          else rows.push([value]);
        });
      }
      const found = rows.length - before;
      if (found !== counts[group]) fail(`a column has ${found} values for ${counts[group]} rows`);
    }
    return rows;
  });
}

/** The footer: the last bytes are its length and PAR1. */
async function readMetadata(
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

interface Leaf {
  readonly path: readonly string[];
  readonly type: string;
  readonly isText: boolean;
  readonly maxDefinition: number;
  readonly maxRepetition: number;
}

function leavesOf(tree: SchemaTree, definition: number, repetition: number): Leaf[] {
  return tree.children.flatMap((child) => {
    const { repetition_type: kind, type, converted_type, logical_type } = child.element;
    const isText = converted_type === "UTF8" || logical_type?.type === "STRING";
    const deeper = definition + Number(kind !== "REQUIRED");
    const repeated = repetition + Number(kind === "REPEATED");
    if (child.children.length > 0) return leavesOf(child, deeper, repeated);
    return [{ path: child.path, type: type ?? "", isText, maxDefinition: deeper, maxRepetition: repeated }];
  });
}

type Columns = FileMetaData["row_groups"][number]["columns"];

function chunkOf(columns: Columns, leaf: Leaf, size: number, fail: Fail): Column {
  const name = leaf.path.join(".");
  const data = columns.find((column) => column.meta_data?.path_in_schema.join(".") === name)?.meta_data;
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

/** The bytes of a row's image, by the page that holds it; the pages read last are kept. */
function imageReader({ path, rows, image: chunks }: Table, kept: Kept): (row: number) => Promise<Value> {
  const indices = new Map<number, ReturnType<typeof pagesOf>>();
  const pageValues = (group: number, page: Page, dictionary: Page | undefined) =>
    kept(`${path} ${page.offset}`, page.bytes, () =>
      withFile(path, async (handle, fail) => {
        const chunk = chunks[group];
        const entries =
          dictionary &&
          (await kept(`${path} ${dictionary.offset}`, dictionary.bytes, () =>
            readDictionary(handle, chunk, dictionary, fail),
          ));
        return (await readPage(handle, chunk, page, entries, fail)).values;
      }),
    );
  return async (row) => {
    let group = 0;
    let left = row;
    while (left >= rows[group]) left -= rows[group++];
    if (!indices.has(group))
      indices.set(
        group,
        withFile(path, (handle, fail) => pagesOf(handle, chunks[group], fail)),
      );
    const { dictionary, data } = await indices.get(group)!;
    for (const page of data) {
      if (left < page.values) return (await pageValues(group, page, dictionary))[left];
      left -= page.values;
    }
    return undefined;
  };
}

/** The values of a page of so many bytes, read unless they are kept. */
type Kept = (key: string, bytes: number, read: () => Promise<Value[]>) => Promise<Value[]>;

/** Keeps the values of the pages used last, up to 64 MB of them, or one page. */
function pageCache(): Kept {
  const pages = new Map<string, { bytes: number; values: Promise<Value[]> }>();
  let total = 0;
  return (key, bytes, read) => {
    const known = pages.get(key);
    const page = known ?? { bytes, values: read() };
    pages.delete(key);
    pages.set(key, page); // the last one used stands last
    if (known === undefined) total += bytes;
    for (const [old, { bytes }] of pages) {
      if (total <= cacheBytes || old === key) break;
      pages.delete(old);
      total -= bytes;
    }
    return page.values;
  };
}

function textOf(bytes: Uint8Array, what: string): string {
  const text = utf8(bytes)?.replace(/^\ufeff/, "");
  if (text === undefined) throw badInput(`${what} is no UTF-8, as Parquet's texts are`);
  return text;
}

async function examplesOf(table: Table, file: number): Promise<Row[]> {
  const labels = table.label && (await columnRows(table, table.label));
  const captions = table.caption && (await columnRows(table, table.caption));
  const count = table.rows.reduce((sum, n) => sum + n, 0);
  const stem = basename(table.path, ".parquet");
  return Array.from({ length: count }, (_, row): Row[] => {
    const id = `${stem}/${row}`;
    const stored = labels?.[row][0];
    const label = stored instanceof Uint8Array ? textOf(stored, `${table.path}: the label of row ${row}`) : stored;
    const base = { file, row, ...(label !== -1 && { label }) }; // -1: Hugging Face's "no label"
    const texts = (captions?.[row] ?? [])
      .filter((text) => text instanceof Uint8Array)
      .map((text) => textOf(text, `${table.path}: the caption of row ${row}`));
    if (texts.length === 0) return [{ id, ...base }];
    return texts.map((caption, i) => ({ id: `${id}${i === 0 ? "" : `#${i + 1}`}`, caption, ...base }));
  }).flat();
}

interface HuggingFaceRecord {
  readonly info: { readonly features: Readonly<Record<string, { readonly names?: unknown }>> };
}

/** The class names of a label column as the `datasets` library keeps them in the file's metadata. */
function huggingFaceNames({ key_value_metadata: pairs }: FileMetaData, column: string): string[] | undefined {
  const text = pairs?.find(({ key }) => key === "huggingface")?.value;
  if (text === undefined) return undefined;
  try {
    const record = parseJson(text, "huggingface", { bytes: 16 * 2 ** 20 }) as HuggingFaceRecord;
    const { names } = record.info.features[column];
    if (!Array.isArray(names) || !names.every((name) => typeof name === "string")) return undefined;
    return names.map((name: string) => name.replaceAll("_", " "));
  } catch {
    return undefined; // no such record
  }
}
