/** Rows of images in CSV and its kin, and in Flickr's token files. */
import { basename, extname } from "node:path";
import { Readable } from "node:stream";
import { parse } from "csv-parse";
import { withFile } from "../../files/files.ts";
import { badInput, TbarError } from "../../tensor/error.ts";
import {
  type Bad,
  type Columns,
  columnsOf,
  isComplete,
  maxLine,
  type Row,
  type RowOptions,
  type Table,
} from "./table-columns.ts";
import { linesOf, textParts } from "./text.ts";

/** An image, `#` and a number, a tab, a caption: `1.jpg#0\tA dog .` */
const tokenLine = /^([^\t]+)#\d+\t(.*)$/;

/** A table with a header, split at commas, tabs, bars or semicolons, or a token file. Throws TbarError on a malformed one. */
export function readDelimited(file: string, options: RowOptions): Promise<Table> {
  return withFile(file, async (handle) => {
    const parts = textParts(handle.createReadStream({ autoClose: false }), file, options.encoding);
    let head = "";
    for (let part = await parts.next(); !part.done; part = await parts.next()) {
      head += part.value;
      if (head.includes("\n")) break;
    }
    const source = (async function* () {
      yield head;
      yield* parts;
    })();
    const first = head.split(/\r\n|\r|\n/, 1)[0];
    const delimiters = extname(file).toLowerCase() === ".tsv" ? ["\t"] : [",", "\t", "|", ";"];
    const delimiter = delimiters.find((sign) => isComplete(columnsOf(first.split(sign)))) ?? delimiters[0];
    const areTokens = tokenLine.test(first);
    const rows = areTokens ? readTokens(file, source, options.bad) : readCells(file, source, delimiter, options);
    return rows.catch((cause) => {
      throw cause instanceof TbarError ? cause : badInput(`cannot read ${file}: ${cause.message}`, cause);
    });
  });
}

async function readCells(
  file: string,
  source: AsyncIterable<string>,
  delimiter: string,
  { skipBad, bad }: RowOptions,
): Promise<Table> {
  let names: readonly string[] = [];
  let columns: Columns = {};
  const header = (found: readonly string[]) => {
    [names, columns] = [found, columnsOf(found)];
    if (isComplete(columns)) return found.map((_, i) => String(i));
    const shown = found.slice(0, 8).map((name) => name.slice(0, 60));
    throw badInput(`${file}: expected a header with image,label or image,caption and found ${shown.join(",")}`);
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
