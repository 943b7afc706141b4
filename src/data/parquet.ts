/** Parquet files with images as Hugging Face data sets store them: a struct {bytes, path}, or plain bytes, beside labels or captions. */
import { type FileHandle, open } from "node:fs/promises";
import { basename } from "node:path";
import { type FileMetaData, parquetMetadataAsync, parquetSchema, type SchemaTree } from "hyparquet";
import { parseJson } from "../files/json.ts";
import { badInput, TbarError } from "../tensor/error.ts";
import type { Dataset, Example } from "./dataset.ts";
import { decoded, type Fit } from "./encoded.ts";
import { type Column, type Page, pagesOf, readDictionary, readPage, type Value } from "./parquet-pages.ts";
import { uniqueIds } from "./split.ts";

/** Names by which the columns go, the likeliest first. */
const names = {
  image: ["image", "img", "jpg", "png", "webp", "photo", "picture", "image_bytes"],
  label: ["label", "fine_label", "labels", "cls", "class"],
  caption: ["caption", "captions", "text", "txt", "title", "sentence", "sentences", "alt_text"],
};

const cacheBytes = 64 * 2 ** 20;

interface Row extends Example {
  readonly file: number;
  readonly row: number;
}

/**
 * Files with the same columns as one data set, in order. Class names are those that Hugging Face keeps in the file (or `classNames`); a list of captions makes as many
 * examples. Labels and captions are read now, images page by page when asked for; pages of 64 MB are kept. Throws TbarError on anything that does not fit
 * its file, and naming the columns where there is none with images.
 */
export async function openParquet(
  files: readonly string[],
  { fit, classNames }: { readonly fit?: Fit; readonly classNames?: readonly string[] } = {},
): Promise<Dataset> {
  const opened = await Promise.all(files.map(openTable));
  const rows = (await Promise.all(opened.map(examplesOf))).flat();
  const known = opened[0].classNames ?? classNames;
  const stranger = rows.find(({ label }) => label !== undefined && known && label >= known.length);
  if (stranger) throw badInput(`${stranger.id} has label ${stranger.label} of ${known!.length} classes`);
  const ids = uniqueIds(rows.map(({ id }) => id));
  const kept = pageCache();
  const readers = opened.map((table) => imageReader(table, kept));
  const place = (index: number) => `${files[rows[index].file]}: row ${rows[index].row}`;
  const images = {
    name: basename(files[0], ".parquet").replace(/-\d{5}-of-\d{5}.*$/, ""),
    size: rows.length,
    classNames: known,
    example(index: number) {
      const { label, caption } = rows[index];
      return { id: ids[index], label, caption };
    },
    async encoded(index: number) {
      const { file, row } = rows[index];
      const bytes = await readers[file](row);
      if (!(bytes instanceof Uint8Array) || bytes.length === 0) throw badInput(`${place(index)} has no image`);
      return bytes;
    },
    place,
  };
  return decoded(images, fit);
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
}

/** A column in each row group. */
type Chunks = readonly Column[];

async function openTable(path: string): Promise<Table> {
  return withFile(path, async (handle, fail) => {
    const { metadata, size } = await readMetadata(handle);
    const groups = metadata.row_groups;
    const rows = groups.map(({ num_rows }) => Number(num_rows));
    const count = rows.reduce((sum, n) => sum + n, 0);
    if (rows.some((n) => !(n >= 0)) || !(count <= size)) fail(`it claims ${count} rows and has ${size} bytes`);
    if (count === 0) fail("it has no rows");
    const leaves = leavesOf(parquetSchema(metadata), 0, 0);
    const leaf = (wanted: readonly string[], ...types: string[]) =>
      wanted
        .flatMap((name) => leaves.filter(({ path }) => path[0] === name && path[1] !== "path"))
        .find(({ type }) => types.includes(type));
    const image =
      leaves.find(({ path, type }) => path.at(-1) === "bytes" && type === "BYTE_ARRAY") ??
      leaf(names.image, "BYTE_ARRAY");
    if (image === undefined || image.maxRepetition > 0) {
      const found = leaves.map(({ path }) => path.join(".")).join(", ");
      return fail(`no column with images (a struct with bytes, or one of ${names.image.join(", ")}); it has ${found}`);
    }
    const chunks = (leaf: Leaf) => groups.map(({ columns }) => chunkOf(columns, leaf, size, fail));
    const label = leaf(names.label, "INT32", "INT64");
    const caption = leaf(names.caption, "BYTE_ARRAY");
    return {
      path,
      rows,
      image: chunks(image),
      label: label && chunks(label),
      caption: caption && chunks(caption),
      classNames: label && huggingFaceNames(metadata, label.path[0]),
    };
  });
}

type Fail = (reason: string) => never;

/** Anything that goes wrong with the bytes, in hyparquet too, is the file's fault. */
async function withFile<T>(path: string, work: (handle: FileHandle, fail: Fail) => Promise<T>): Promise<T> {
  const fail = (reason: string): never => {
    throw badInput(`${path}: ${reason}`);
  };
  const handle = await open(path).catch((cause) => fail(`cannot open: ${cause.message}`));
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

async function readMetadata(handle: FileHandle): Promise<{ metadata: FileMetaData; size: number }> {
  const { size } = await handle.stat();
  const file = {
    byteLength: size,
    async slice(start: number, end = size) {
      const bytes = new Uint8Array(end - start);
      await handle.read(bytes, 0, bytes.length, start);
      return bytes.buffer;
    },
  };
  return { metadata: await parquetMetadataAsync(file), size };
}

interface Leaf {
  readonly path: readonly string[];
  readonly type: string;
  readonly maxDefinition: number;
  readonly maxRepetition: number;
}

function leavesOf(tree: SchemaTree, definition: number, repetition: number): Leaf[] {
  return tree.children.flatMap((child) => {
    const { repetition_type: kind, type } = child.element;
    const deeper = definition + Number(kind !== "REQUIRED");
    const repeated = repetition + Number(kind === "REPEATED");
    if (child.children.length > 0) return leavesOf(child, deeper, repeated);
    return [{ path: child.path, type: type ?? "", maxDefinition: deeper, maxRepetition: repeated }];
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
  if (!(values >= 0 && values <= size)) fail(`column ${name} claims ${values} values in a file of ${size} bytes`);
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

async function examplesOf(table: Table, file: number): Promise<Row[]> {
  const labels = table.label && (await columnRows(table, table.label));
  const captions = table.caption && (await columnRows(table, table.caption));
  const count = table.rows.reduce((sum, n) => sum + n, 0);
  const stem = basename(table.path, ".parquet");
  return Array.from({ length: count }, (_, row): Row[] => {
    const label = labels?.[row][0] as number | undefined;
    const base = { file, row, ...(label !== undefined && label >= 0 && { label }) }; // -1: Hugging Face's "no label"
    const texts = (captions?.[row] ?? [])
      .filter((text) => text instanceof Uint8Array)
      .map((text) => new TextDecoder().decode(text));
    if (texts.length === 0) return [{ id: `${stem}/${row}`, ...base }];
    return texts.map((caption, i) => ({ id: `${stem}/${row}${i === 0 ? "" : `#${i + 1}`}`, caption, ...base }));
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
