/** Tables of images as people keep them, to rows: CSV, JSON lines (Hugging Face), token files (Flickr), COCO's captions. */
import { basename, extname } from "node:path";
import { Readable } from "node:stream";
import { parse } from "csv-parse";
import { z } from "zod";
import { openFile, parseAs, readJson } from "../../files/files.ts";
import { parseJson } from "../../files/json.ts";
import { badInput } from "../../tensor/error.ts";
import type { StoredLabel } from "./labels.ts";
import { type Encoding, textParts } from "./text.ts";

/** What to do with a row that cannot be used. */
export type Bad = (id: string, reason: string) => void;

export interface Row {
  /** "row 3": from 1, below the header; "line 3" where there is none. */
  readonly id: string;
  readonly image: string;
  readonly label?: StoredLabel;
  readonly caption?: string;
}

export interface Table {
  readonly rows: Row[];
  /** The columns, or the like, that labels and captions come from. */
  readonly label?: string;
  readonly caption?: string;
  /** Columns of no use. */
  readonly unused: readonly string[];
}

export interface RowOptions {
  readonly encoding?: Encoding;
  readonly skipBad: boolean;
  readonly bad: Bad;
}

/** By which names columns and keys go, the likeliest first. */
const roles = {
  image: ["image", "filepath", "file_name", "filename", "image_path", "image_name", "img_path", "path", "img"],
  label: ["label", "labels", "class", "class_name", "classname", "category", "cls"],
  caption: ["caption", "title", "text", "captions", "sentence", "comment", "alt_text"],
} as const;
type Columns = Partial<Record<keyof typeof roles, number>>;

const maxLine = 1 << 20;
/** COCO's largest file of captions has 92 MB, and two million values. */
const cocoLimits = { bytes: 2 ** 27, values: 2 ** 22 };

/** The rows of a table by the name of its file. Throws TbarError on a malformed one; rows that cannot be used go to `bad`. */
export function readTable(file: string, options: RowOptions): Promise<Table> {
  const ending = extname(file).toLowerCase();
  if (ending === ".jsonl") return readJsonLines(file, options);
  if (ending === ".json") return readCoco(file);
  return readDelimited(file, options);
}

/** Where the names of a header, in any case and order, stand for what we look for. */
function columnsOf(names: readonly string[]): Columns {
  const plain = names.map((name) =>
    name
      .trim()
      .toLowerCase()
      .replace(/^"(.*)"$/, "$1"),
  );
  const find = (role: keyof typeof roles) => roles[role].map((name) => plain.indexOf(name)).find((at) => at >= 0);
  return { image: find("image"), label: find("label"), caption: find("caption") };
}

const isComplete = ({ image, label, caption }: Columns) =>
  image !== undefined && (label !== undefined || caption !== undefined);

/** An image, `#` and a number, a tab, a caption: `1.jpg#0\tA dog .` */
const tokenLine = /^([^\t]+)#\d+\t(.*)$/;

async function readDelimited(file: string, { encoding, skipBad, bad }: RowOptions): Promise<Table> {
  const handle = await openFile(file);
  try {
    const parts = textParts(handle.createReadStream({ autoClose: false }), file, encoding);
    let head = "";
    while (!head.includes("\n")) {
      const { done, value } = await parts.next();
      if (done) break;
      head += value;
    }
    const source = (async function* () {
      yield head;
      yield* parts;
    })();
    const first = head.split(/\r\n|\r|\n/, 1)[0];
    if (tokenLine.test(first)) return await readTokens(file, source, bad);
    const delimiters = extname(file).toLowerCase() === ".tsv" ? ["\t"] : [",", "\t", "|", ";"];
    const delimiter = delimiters.find((sign) => isComplete(columnsOf(first.split(sign)))) ?? delimiters[0];
    let names: readonly string[] = [];
    let columns: Columns = {};
    const header = (found: readonly string[]) => {
      [names, columns] = [found, columnsOf(found)];
      if (isComplete(columns)) return found.map((_, i) => String(i));
      const shown = found
        .slice(0, 8)
        .map((name) => name.slice(0, 60))
        .join(",");
      throw badInput(`${file}: expected a header with image,label or image,caption and found ${shown}`);
    };
    const parser = parse({
      columns: header,
      delimiter,
      skip_empty_lines: true,
      skip_records_with_error: skipBad,
      relax_column_count: delimiter === "|", // Flickr30k's file has a row without its bars
      on_skip(error?: Error) {
        bad("a row", `is malformed: ${error?.message}`);
        return undefined;
      },
      trim: true,
      max_record_size: maxLine,
    });
    const rows: Row[] = [];
    let number = 0;
    const cell = (cells: Record<string, string>, at?: number) => (at === undefined ? undefined : cells[at]);
    for await (const cells of Readable.from(source)
      .on("error", (error) => parser.destroy(error))
      .pipe(parser)) {
      const id = `row ${++number}`;
      const image = cell(cells, columns.image) ?? "";
      if (image === "") bad(id, "names no image");
      else rows.push({ id, image, label: cell(cells, columns.label), caption: cell(cells, columns.caption) });
    }
    const nameOf = (at?: number) => (at === undefined ? undefined : `column ${names[at].trim()}`);
    const unused = names.filter((_, i) => !Object.values(columns).includes(i)).map((name) => name.trim());
    return { rows, label: nameOf(columns.label), caption: nameOf(columns.caption), unused };
  } catch (cause) {
    throw (cause as Error).name === "TbarError"
      ? cause
      : badInput(`cannot read ${file}: ${(cause as Error).message}`, cause);
  } finally {
    await handle.close();
  }
}

/** The lines of a text that comes in parts. */
async function* linesOf(parts: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = "";
  for await (const part of parts) {
    const lines = (rest + part).split(/\r?\n/);
    rest = lines.pop()!;
    yield* lines;
  }
  yield rest;
}

async function readTokens(file: string, parts: AsyncIterable<string>, bad: Bad): Promise<Table> {
  const rows: Row[] = [];
  let number = 0;
  for await (const line of linesOf(parts)) {
    number++;
    if (line.trim() === "") continue;
    const [, image, caption] = tokenLine.exec(line) ?? [];
    if (image === undefined) bad(`line ${number}`, "is no IMAGE#NUMBER, tab, caption");
    else rows.push({ id: `line ${number}`, image, caption: caption.trim() });
  }
  return { rows, caption: basename(file), unused: [] };
}

/** An object a line, as Hugging Face's metadata.jsonl: { "file_name": ..., "text" or "label" or the like: ... }. */
async function readJsonLines(file: string, { encoding, bad }: RowOptions): Promise<Table> {
  const handle = await openFile(file);
  const used = new Map<string, string>();
  const unused = new Set<string>();
  const rows: Row[] = [];
  let number = 0;
  try {
    for await (const line of linesOf(textParts(handle.createReadStream({ autoClose: false }), file, encoding))) {
      const id = `line ${++number}`;
      if (line.trim() === "") continue;
      const record = objectIn(line);
      if (record === undefined) {
        bad(id, "is no JSON object");
        continue;
      }
      const keys = Object.keys(record);
      const columns = columnsOf(keys);
      const value = (role: keyof typeof roles) =>
        columns[role] === undefined ? undefined : record[keys[columns[role]]];
      for (const [role, at] of Object.entries(columns)) if (at !== undefined) used.set(role, keys[at]);
      for (const [at, key] of keys.entries()) if (!Object.values(columns).includes(at)) unused.add(key.slice(0, 60));
      const [image, label, caption] = [value("image"), value("label"), value("caption")];
      if (typeof image !== "string" || image === "") bad(id, "names no image");
      else if (label === undefined && caption === undefined) bad(id, "has neither label nor caption");
      else if (label !== undefined && typeof label !== "string" && !Number.isInteger(label))
        bad(id, "has a label that is neither a name nor a whole number");
      else if (caption !== undefined && typeof caption !== "string") bad(id, "has a caption that is no text");
      else rows.push({ id, image, label: label as StoredLabel, caption });
    }
  } finally {
    await handle.close();
  }
  const nameOf = (role: string) => (used.has(role) ? `key ${used.get(role)}` : undefined);
  return { rows, label: nameOf("label"), caption: nameOf("caption"), unused: [...unused] };
}

function objectIn(line: string): Record<string, unknown> | undefined {
  if (line.length > maxLine) return undefined;
  try {
    const value = parseJson(line, "a line");
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

const cocoSchema = z.object({
  images: z.array(z.object({ id: z.union([z.int(), z.string()]), file_name: z.string().min(1) })),
  annotations: z.array(z.object({ image_id: z.union([z.int(), z.string()]), caption: z.string() })),
});

/** COCO's captions_*.json: { "images": [{ id, file_name }], "annotations": [{ image_id, caption }] }. */
async function readCoco(file: string): Promise<Table> {
  const wanted = 'expected COCO\'s { "images": [{ id, file_name }], "annotations": [{ image_id, caption }] }';
  const { images, annotations } = parseAs(cocoSchema, await readJson(file, cocoLimits), `${file}: ${wanted}`);
  const files = new Map(images.map(({ id, file_name }) => [id, file_name]));
  const rows = annotations.map(({ image_id, caption }, i) => {
    const image = files.get(image_id);
    if (image === undefined) throw badInput(`${file}: annotation ${i} is of image ${image_id}, which is not listed`);
    return { id: `annotation ${i}`, image, caption: caption.trim() };
  });
  return { rows, caption: "annotations", unused: [] };
}
