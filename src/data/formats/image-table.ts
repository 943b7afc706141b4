/** A data set of images that a table lists, with labels or captions or both. */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { badInput } from "../../tensor/error.ts";
import { listed } from "../../tensor/printable.ts";
import type { BadImage, OpenedDataset } from "../check.ts";
import { type ClassList, classNamesBeside } from "../sets/class-names.ts";
import { uniqueIds } from "../split.ts";
import { readDelimited } from "./delimited-rows.ts";
import { imageFiles } from "./image-files.ts";
import { readCoco, readJsonLines } from "./json-rows.ts";
import { readLabels } from "./labels.ts";
import type { RowOptions, Table } from "./table-columns.ts";
import type { Encoding } from "./text.ts";

export interface TableOptions {
  /** Of a table that is no UTF-8. */
  readonly encoding?: Encoding;
  /** Names of the classes, instead of those in a file beside the table. */
  readonly classes?: ClassList;
  /** Leave out rows that cannot be used, and missing files to fail when they are read. */
  readonly skipBad?: boolean;
}

/** File names of tables of captions that do not say what they are by their ending: Kaggle's and the original of Flickr8k and Flickr30k, Hugging Face's, COCO's. */
export const isTable = (name: string): boolean =>
  /\.[ct]sv$|^captions?\.txt$|\.token(\.txt)?$|^(metadata|captions?)\.jsonl$|^captions_\w+\.json$/i.test(name);

/**
 * Columns (or keys) `image` (`filepath`, `file_name`, ...) and `label` (`class`, ...) or `caption` (`title`, `text`, ...), in any case and order; others are left out. A .csv is split at
 * commas, or at tabs, bars or semicolons where only they make a header of it. Image paths are absolute, or relative to the table's folder or to a folder in it (for COCO, beside
 * it). Labels are all class indices, or all names: classes are then the given ones, those of classes.json or classes.txt beside the file, or the names in sorted order. An image may
 * come in several rows, as with several captions. Throws TbarError on a malformed file, on no rows, and naming the first row that cannot be used and the first image file missing.
 */
export async function openImageTable(file: string, options: TableOptions = {}): Promise<OpenedDataset> {
  const { encoding, classes, skipBad = false } = options;
  const skipped: BadImage[] = [];
  const bad = (id: string, reason: string) => {
    if (!skipBad) throw badInput(`${file}: ${id} ${reason}`);
    skipped.push({ id, reason: `${id} ${reason}` });
  };
  const table = await readTable(file, { encoding, skipBad, bad });
  const all = table.rows;
  if (all.length === 0 && skipped.length === 0) throw badInput(`${file} has a header and no rows`);
  const list = table.label === undefined ? undefined : (classes ?? (await classNamesBeside(dirname(file), encoding)));
  const stored = all.map(({ id, label }) => {
    if (table.label !== undefined && (label === undefined || label === "")) bad(id, "has no label");
    return label === "" ? undefined : label;
  });
  const { labels, classNames } = readLabels(stored, list?.names, (i, reason) => bad(all[i].id, reason));
  const usable = all
    .map((row, i) => ({ ...row, label: labels[i] }))
    .filter(({ label }) => table.label === undefined || label !== undefined);
  if (usable.length === 0) throw badInput(`${file} has no row that can be used; the first: ${skipped[0].reason}`);
  const images = usable.map(({ image }) => image);
  const paths = await locate(file, images);
  const missing = skipBad ? [] : usable.filter(({ image }) => !existsSync(paths.get(image)!));
  if (missing.length > 0) {
    throw badInput(
      `${file}: ${missing.length} of ${usable.length} rows name a missing file, such as ${paths.get(missing[0].image)}`,
    );
  }
  const ids = uniqueIds(images);
  const files = usable.map(({ image, caption, label }, i) => ({ id: ids[i], file: paths.get(image)!, label, caption }));
  const { label, caption, unused } = table;
  const distinct = new Set(files.map(({ file }) => file)).size;
  const notes = [
    unused.length > 0 && `columns not used: ${listed(unused, 8)}`,
    distinct < files.length && `${files.length} rows of ${distinct} image files, each row counted as an image`,
  ].filter((note) => note !== false);
  const contents = {
    ...(label !== undefined && { labels: label }),
    ...(caption !== undefined && { captions: caption }),
    ...(list !== undefined && { classNames: list.file }),
    ...(notes.length > 0 && { notes }),
  };
  return { ...imageFiles(basename(file, extname(file)), files, { classNames, contents }), skipped };
}

/** Where each image lies: beside the table, in a folder beside it, or (COCO's and Flickr's captions) in one beside the table's own folder. */
async function locate(file: string, images: readonly string[]): Promise<Map<string, string>> {
  const folder = dirname(file);
  const inside = async (place: string) =>
    (await readdir(place, { withFileTypes: true }).catch(() => []))
      .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
      .map(({ name }) => join(place, name))
      .sort();
  const isOwnFolder = /\.json$|\.token(\.txt)?$/.test(file); // COCO's annotations/, Flickr8k_text/: images lie beside it
  const places = [...(await inside(folder)), ...(isOwnFolder ? await inside(dirname(resolve(folder))) : [])];
  const [first] = images;
  const roots = [
    folder,
    ...places.filter((place) => basename(place) === "images" || existsSync(resolve(place, first))),
  ];
  const place = (image: string) => {
    const candidates = roots.map((root) => resolve(root, image));
    return candidates.length === 1 ? candidates[0] : (candidates.find((path) => existsSync(path)) ?? candidates[0]);
  };
  return new Map(images.map((image) => [image, place(image)]));
}

/** The rows of a table by the name of its file. Throws TbarError on a malformed one; rows that cannot be used go to `bad`. */
function readTable(file: string, options: RowOptions): Promise<Table> {
  const ending = extname(file).toLowerCase();
  if (ending === ".jsonl") return readJsonLines(file, options);
  if (ending === ".json") return readCoco(file);
  return readDelimited(file, options);
}
