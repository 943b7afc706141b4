import { basename } from "node:path";
import { badInput } from "../../tensor/error.ts";
import { utf8 } from "../../tensor/printable.ts";
import type { Dataset } from "../dataset.ts";
import { decoded } from "../images/encoded.ts";
import type { ClassList } from "../sets/class-names.ts";
import { uniqueIds } from "../split.ts";
import { concurrently, filesAtOnce } from "./concurrently.ts";
import { readLabels, type StoredLabel } from "./labels.ts";
import { type Page, pagesOf, readDictionary, readPage } from "./parquet-pages.ts";
import { columnRows, openTable, reading, type Table } from "./parquet-table.ts";
import type { Value } from "./parquet-values.ts";

const cacheBytes = 64 * 2 ** 20;

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
  return decoded({
    name: basename(files[0], ".parquet").replace(/-\d{5}-of-\d{5}.*$/, ""),
    size: rows.length,
    classNames,
    contents: { ...from, ...(own === undefined && classes !== undefined && { classNames: classes.file }) },
    example: (index) => ({ id: ids[index], label: labels[index], caption: rows[index].caption }),
    async encoded(index) {
      const { file, row } = rows[index];
      const bytes = await readers[file](row);
      if (!(bytes instanceof Uint8Array) || bytes.length === 0) throw badInput(`${place(index)} has no image`);
      return bytes;
    },
    place,
  });
}

/** The bytes of a row's image, by the page that holds it; the pages read last are kept. */
function imageReader({ path, rows, image: chunks }: Table, kept: Kept): (row: number) => Promise<Value> {
  const indices = new Map<number, ReturnType<typeof pagesOf>>();
  const pageValues = (group: number, page: Page, dictionary: Page | undefined) =>
    kept(`${path} ${page.offset}`, page.bytes, () =>
      reading(path, async (handle, fail) => {
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
    const pages = indices.get(group) ?? reading(path, (handle, fail) => pagesOf(handle, chunks[group], fail));
    indices.set(group, pages);
    const { dictionary, data } = await pages;
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
