/** A CSV (or TSV) of images with labels or captions, and a header that says which. */
import { createReadStream, existsSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { parse } from "csv-parse";
import { badInput, unknownName } from "../tensor/error.ts";
import type { BadImage, OpenedDataset } from "./check.ts";
import { classNamesBeside } from "./class-names.ts";
import type { Fit } from "./encoded.ts";
import { imageFiles } from "./image-files.ts";
import { uniqueIds } from "./split.ts";

export interface CsvOptions {
  readonly fit?: Fit;
  /** Leave out rows that cannot be used, and missing files to fail when they are read. */
  readonly skipBad?: boolean;
}

/**
 * Columns `image` (or `filepath`) and `label` or `caption` (or `title`), in any case and order; others are left out. A .tsv, and a file whose first line has tabs and
 * no comma, is split at tabs. Image paths are absolute, or relative to the file's folder or its `images` folder. Labels are all class indices, or all names: classes are then
 * those of classes.json or classes.txt beside the file, else the names in sorted order. An image may come in several rows,
 * as with several captions. Throws TbarError on a malformed file, on no rows, and naming the first row that cannot be used and the first image file missing.
 */
export async function openCsv(file: string, { fit, skipBad = false }: CsvOptions = {}): Promise<OpenedDataset> {
  const skipped: BadImage[] = [];
  const bad = (id: string, reason: string) => {
    if (!skipBad) throw badInput(`${file}: ${id} ${reason}`);
    skipped.push({ id, reason: `${id} ${reason}` });
  };
  const all = await readRows(file, bad, skipBad);
  if (all.length === 0 && skipped.length === 0) throw badInput(`${file} has a header and no rows`);
  const { rows, labels, classNames } = all[0]?.label === undefined ? { rows: all } : await readLabels(file, all, bad);
  if (rows.length === 0) throw badInput(`${file} has no row that can be used; the first: ${skipped[0].reason}`);
  const paths = locate(
    file,
    rows.map((row) => row.image),
  );
  const missing = skipBad ? [] : rows.filter(({ image }) => !existsSync(paths.get(image)!));
  if (missing.length > 0) {
    throw badInput(
      `${file}: ${missing.length} of ${rows.length} rows name a missing file, such as ${paths.get(missing[0].image)}`,
    );
  }
  const ids = uniqueIds(rows.map((row) => row.image));
  const files = rows.map(({ image, caption }, i) => ({
    id: ids[i],
    file: paths.get(image)!,
    label: labels?.[i],
    caption,
  }));
  return { ...imageFiles(basename(file, extname(file)), files, classNames, fit), skipped };
}

/** What to do with a row that cannot be used. */
type Bad = (id: string, reason: string) => void;

interface Row {
  /** From 1, below the header. */
  readonly number: number;
  readonly image: string;
  readonly label?: string;
  readonly caption?: string;
}

const synonyms: Readonly<Record<string, string>> = { filepath: "image", title: "caption" }; // open_clip's

async function readRows(file: string, bad: Bad, skipBad: boolean): Promise<Row[]> {
  const header = (names: string[]) => {
    const found = names.map((name) => name.trim().toLowerCase()).map((name) => synonyms[name] ?? name);
    if (found.includes("image") && (found.includes("label") || found.includes("caption"))) return found;
    throw badInput(
      `${file}: expected a header with image,label or image,caption and found ${names.slice(0, 8).join(",")}`,
    );
  };
  const options = {
    columns: header,
    delimiter: await delimiterOf(file),
    bom: true,
    skip_empty_lines: true,
    skip_records_with_error: skipBad,
    on_skip(error?: Error) {
      bad("a row", `is malformed: ${error?.message}`);
      return undefined;
    },
    trim: true,
    max_record_size: 1 << 20,
  };
  const rows: Row[] = [];
  let number = 0;
  const source = createReadStream(file);
  const parser = source.pipe(parse(options));
  source.on("error", (error) => parser.destroy(error));
  try {
    for await (const { image, label, caption } of parser) {
      number++;
      if (image === "") bad(`row ${number}`, "names no image");
      else rows.push({ number, image, label, caption });
    }
  } catch (cause) {
    throw (cause as Error).name === "TbarError"
      ? cause
      : badInput(`cannot read ${file}: ${(cause as Error).message}`, cause);
  }
  return rows;
}

async function delimiterOf(file: string): Promise<string> {
  if (extname(file).toLowerCase() === ".tsv") return "\t";
  const start = createReadStream(file, { end: 4095 }).toArray();
  const chunks = await start.catch((cause) => {
    throw badInput(`cannot read ${file}: ${cause.message}`, cause);
  });
  const [line] = Buffer.concat(chunks).toString("utf8").split("\n", 1);
  return line.includes("\t") && !line.includes(",") ? "\t" : ",";
}

/** Where each image lies: beside the CSV, or in `images` beside it. */
function locate(file: string, images: readonly string[]): Map<string, string> {
  const folder = dirname(file);
  const nested = existsSync(join(folder, "images"));
  const place = (image: string) => {
    const beside = resolve(folder, image);
    const inImages = resolve(folder, "images", image);
    return nested && !existsSync(beside) && existsSync(inImages) ? inImages : beside;
  };
  return new Map(images.map((image) => [image, place(image)]));
}

async function readLabels(
  file: string,
  all: readonly Row[],
  bad: Bad,
): Promise<{ rows: readonly Row[]; labels: number[]; classNames?: readonly string[] }> {
  const known = await classNamesBeside(dirname(file));
  const named = all.filter((row) => row.label !== "" || bad(`row ${row.number}`, "has no label"));
  const indices = named.every((row) => /^\d{1,9}$/.test(row.label!));
  const classNames = indices ? known : (known ?? [...new Set(named.map((row) => row.label!))].sort());
  const index = new Map(classNames?.map((name, i) => [name, i]));
  const labelOf = (row: Row) => (indices ? Number(row.label) : index.get(row.label!));
  const rows = named.filter((row) => {
    const label = labelOf(row);
    if (label === undefined) {
      const { message } = unknownName("class", row.label!, classNames!);
      return bad(`row ${row.number}`, `has an ${message}`);
    }
    if (classNames === undefined || label < classNames.length) return true;
    return bad(
      `row ${row.number}`,
      `has label ${label} of ${classNames.length} classes (0 to ${classNames.length - 1})`,
    );
  });
  return { rows, labels: rows.map((row) => labelOf(row)!), classNames };
}
