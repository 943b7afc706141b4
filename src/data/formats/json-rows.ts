/** Rows of images in JSON: a line each (Hugging Face's metadata.jsonl), or COCO's captions. */
import { z } from "zod";
import { parseAs, readJson, withFile } from "../../files/files.ts";
import { isRecord, parseJson } from "../../files/json.ts";
import { badInput } from "../../tensor/error.ts";
import type { StoredLabel } from "./labels.ts";
import { columnsOf, maxLine, type Row, type RowOptions, type roles, type Table } from "./table-columns.ts";
import { linesOf, textParts } from "./text.ts";

/** COCO's largest file of captions has 92 MB, and two million values. */
const cocoLimits = { bytes: 2 ** 27, values: 2 ** 22 };

/** An object a line, as Hugging Face's metadata.jsonl: { "file_name": ..., "text" or "label" or the like: ... }. */
export async function readJsonLines(file: string, { encoding, bad }: RowOptions): Promise<Table> {
  const used = new Map<string, string>();
  const unused = new Set<string>();
  const rows: Row[] = [];
  let number = 0;
  await withFile(file, async (handle) => {
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
  });
  const nameOf = (role: string) => (used.has(role) ? `key ${used.get(role)}` : undefined);
  return { rows, label: nameOf("label"), caption: nameOf("caption"), unused: [...unused] };
}

function objectIn(line: string): Record<string, unknown> | undefined {
  if (line.length > maxLine) return undefined;
  try {
    const value = parseJson(line, "a line");
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const cocoSchema = z.object({
  images: z.array(z.object({ id: z.union([z.int(), z.string()]), file_name: z.string().min(1) })),
  annotations: z.array(z.object({ image_id: z.union([z.int(), z.string()]), caption: z.string() })),
});

/** COCO's captions_*.json: { "images": [{ id, file_name }], "annotations": [{ image_id, caption }] }. */
export async function readCoco(file: string): Promise<Table> {
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
