/** A Parquet file as a table: which of its columns hold images, labels and captions, and the values of a column. */
import type { FileHandle } from "node:fs/promises";
import { type FileMetaData, parquetSchema } from "hyparquet";
import { withFile } from "../../files/files.ts";
import { parseJson } from "../../files/json.ts";
import { badInput, TbarError } from "../../tensor/error.ts";
import { listed } from "../../tensor/printable.ts";
import type { Contents } from "../dataset.ts";
import { bytesOfRow, chunkOf, columnIn, type Leaf, leavesOf, readFooter } from "./parquet-footer.ts";
import { type Column, pagesOf, readDictionary, readPage } from "./parquet-pages.ts";
import type { Fail, Value } from "./parquet-values.ts";

/** Names by which the columns go, the likeliest first. */
const names = {
  image: ["image", "img", "jpg", "png", "webp", "photo", "picture", "image_bytes"],
  label: ["label", "fine_label", "labels", "cls", "class", "class_name", "category"],
  path: ["path", "file_name", "filename", "filepath", "image_path", "file", "url", "image_url"],
  caption: ["caption", "captions", "text", "txt", "title", "sentence", "sentences", "alt_text"],
};

/** One file: its row groups and the columns that we read. */
export interface Table {
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
export type Chunks = readonly Column[];

/** The file's columns by their names and types. Throws TbarError where it is damaged, and naming its columns where none has images. */
export function openTable(path: string): Promise<Table> {
  return reading(path, async (handle, fail) => {
    const { metadata, size } = await readFooter(handle, path, fail);
    const groups = metadata.row_groups;
    const rows = groups.map(({ num_rows }) => Number(num_rows));
    const count = rows.reduce((sum, n) => sum + n, 0);
    if (rows.some((n) => !(n >= 0)) || !(count * bytesOfRow <= size))
      fail(`it claims ${count} rows with images and has ${size} bytes`);
    if (count === 0) fail("it has no rows");
    const leaves = leavesOf(parquetSchema(metadata));
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
    const chunks = (leaf: Leaf) => groups.map((group) => chunkOf(group, leaf, size, fail));
    const words = (leaf: Leaf) => chunks(leaf).map((chunk) => ({ ...chunk, isText: true }));
    const paths = leaves.find(({ path }) => path.at(-1) === "path" && path[0] === image.path[0]);
    if (
      paths !== undefined &&
      groups.every((group) => columnIn(group, image)?.statistics?.null_count === group.num_rows)
    )
      fail(onlyPaths(paths));
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
        ...(unused.length > 0 && { notes: [`columns not used: ${listed(unused, 8)}`] }),
      },
    };
  });
}

const onlyPaths = ({ path }: Leaf) =>
  `its images are not in it: column ${path.join(".")} holds the names of files. Put a .csv with image,label or image,caption beside the files, or write the images' bytes into the column`;

/** Anything that goes wrong with the bytes, in hyparquet too, is the file's fault. */
export function reading<T>(path: string, work: (handle: FileHandle, fail: Fail) => Promise<T>): Promise<T> {
  const fail = (reason: string): never => {
    throw badInput(`${path}: ${reason}`);
  };
  const damaged = (cause: Error) => badInput(`${path} is damaged: ${cause.message}`, cause);
  return withFile(path, (handle) =>
    work(handle, fail).catch((cause) => {
      throw cause instanceof TbarError ? cause : damaged(cause);
    }),
  );
}

/** All values of a column, those of each row. */
export function columnRows({ path, rows: counts }: Table, chunks: Chunks): Promise<Value[][]> {
  return reading(path, async (handle, fail) => {
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
