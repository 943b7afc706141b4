/** A CSV (or TSV) of images with labels or captions, and a header that says which. */
import { createReadStream, existsSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { parse } from "csv-parse";
import { badInput, unknownName } from "../tensor/error.ts";
import { classNamesBeside } from "./class-names.ts";
import type { Dataset } from "./dataset.ts";
import type { Fit } from "./encoded.ts";
import { imageFiles } from "./image-files.ts";
import { uniqueIds } from "./split.ts";

export interface CsvOptions {
  readonly fit?: Fit;
  /** Leave missing files to fail when they are read. */
  readonly allowMissing?: boolean;
}

/**
 * Columns `image` and `label` or `caption` (or both), in any case and order; others are left out. Image paths are absolute,
 * or relative to the CSV's folder or its `images` folder. Labels are all class indices, or all names: classes are then
 * those of classes.json or classes.txt beside the CSV, else the names in sorted order. An image may come in several rows,
 * as with several captions. Throws TbarError on a malformed file, on no rows, and naming the first image file missing.
 */
export async function openCsv(file: string, { fit, allowMissing = false }: CsvOptions = {}): Promise<Dataset> {
  const rows = await readRows(file);
  if (rows.length === 0) throw badInput(`${file} has a header and no rows`);
  const { labels, classNames } = rows[0].label === undefined ? {} : await readLabels(file, rows);
  const paths = locate(
    file,
    rows.map((row) => row.image),
  );
  const missing = allowMissing ? [] : rows.filter(({ image }) => !existsSync(paths.get(image)!));
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
  return imageFiles(basename(file, extname(file)), files, classNames, fit);
}

interface Row {
  readonly image: string;
  readonly label?: string;
  readonly caption?: string;
}

async function readRows(file: string): Promise<Row[]> {
  const header = (names: string[]) => {
    const found = names.map((name) => name.trim().toLowerCase());
    if (found.includes("image") && (found.includes("label") || found.includes("caption"))) return found;
    throw badInput(
      `${file}: expected a header with image,label or image,caption and found ${names.slice(0, 8).join(",")}`,
    );
  };
  const delimiter = extname(file).toLowerCase() === ".tsv" ? "\t" : ",";
  const options = {
    columns: header,
    delimiter,
    bom: true,
    skip_empty_lines: true,
    trim: true,
    max_record_size: 1 << 20,
  };
  const rows: Row[] = [];
  const source = createReadStream(file);
  const parser = source.pipe(parse(options));
  source.on("error", (error) => parser.destroy(error));
  try {
    for await (const { image, label, caption } of parser) {
      if (image === "") throw badInput(`${file}: row ${rows.length + 1} names no image`);
      rows.push({ image, label, caption });
    }
  } catch (cause) {
    throw (cause as Error).name === "TbarError"
      ? cause
      : badInput(`cannot read ${file}: ${(cause as Error).message}`, cause);
  }
  return rows;
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
  rows: readonly Row[],
): Promise<{ labels: number[]; classNames?: readonly string[] }> {
  const known = await classNamesBeside(dirname(file));
  const texts = rows.map((row) => row.label!);
  const blank = texts.indexOf("");
  if (blank >= 0) throw badInput(`${file}: row ${blank + 1} has no label`);
  if (texts.every((text) => /^\d{1,9}$/.test(text))) {
    const labels = texts.map(Number);
    const outside = known === undefined ? -1 : labels.findIndex((label) => label >= known.length);
    if (outside >= 0)
      throw badInput(
        `${file}: row ${outside + 1} has label ${labels[outside]} of ${known!.length} classes (0 to ${known!.length - 1})`,
      );
    return { labels, classNames: known };
  }
  const classNames = known ?? [...new Set(texts)].sort();
  const index = new Map(classNames.map((name, i) => [name, i]));
  const stranger = texts.find((text) => !index.has(text));
  if (stranger !== undefined) throw unknownName(`class in ${file}`, stranger, classNames);
  return { labels: texts.map((text) => index.get(text)!), classNames };
}
