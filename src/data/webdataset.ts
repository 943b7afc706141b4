/** WebDataset shards: tar archives in which files of one key (`0001.jpg`, `0001.txt`, `0001.cls`, `0001.json`) are one example. */
import { open } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { parseJson } from "../files/json.ts";
import { badInput } from "../tensor/error.ts";
import { classNamesBeside } from "./class-names.ts";
import type { Dataset, Example } from "./dataset.ts";
import { decoded, type Fit } from "./encoded.ts";
import { imageEndings } from "./image.ts";
import { uniqueIds } from "./split.ts";
import { type TarEntry, tarEntries } from "./tar.ts";

/** Of a caption, label or JSON. */
const maxText = 65_536;
const maxImage = 128 * 2 ** 20;

interface Sample extends Example {
  readonly shard: string;
  /** Undefined where the key has no image: it fails when it is read. */
  readonly image?: TarEntry;
}

/**
 * Shards as one data set, in order. A label is the number in `.cls` (or `label`, `cls` in `.json`), a caption the text of `.txt`
 * or `.caption` (or `caption`, `text` in `.json`); class names come from classes.json, classes.txt or classnames.txt beside the shards. Captions and places are kept
 * in memory, images are read when asked for. Throws TbarError on broken archives, links and names that lead out of them.
 */
export async function openWebDataset(
  shards: readonly string[],
  { fit }: { readonly fit?: Fit } = {},
): Promise<Dataset> {
  const samples = (await Promise.all(shards.map(samplesOf))).flat();
  if (samples.every(({ image }) => image === undefined))
    throw badInput(`no images in ${shards[0]}; endings read: ${imageEndings.join(" ")}`);
  const folder = dirname(shards[0]);
  const classNames = await classNamesBeside(folder);
  const stranger = samples.find(({ label }) => label !== undefined && classNames && label >= classNames.length);
  if (stranger !== undefined)
    throw badInput(`${stranger.shard}: ${stranger.id} has label ${stranger.label} of ${classNames!.length} classes`);
  const ids = uniqueIds(samples.map(({ id }) => id));
  const place = (index: number) => `${samples[index].shard}: ${samples[index].id}`;
  const images = {
    name: basename(shards[0], ".tar").replace(/[-_.]?\d+$/, ""),
    size: samples.length,
    classNames,
    example: (index: number) => ({ id: ids[index], label: samples[index].label, caption: samples[index].caption }),
    async encoded(index: number) {
      const { image, shard } = samples[index];
      if (image === undefined) throw badInput(`${place(index)} has no image`);
      if (image.size > maxImage) throw badInput(`${place(index)} has ${image.size} bytes, more than ${maxImage}`);
      return readEntry(shard, image);
    },
    place,
  };
  return decoded(images, fit);
}

async function samplesOf(shard: string): Promise<Sample[]> {
  const handle = await open(shard).catch((cause) => {
    throw badInput(`cannot open ${shard}: ${cause.message}`, cause);
  });
  try {
    const samples = new Map<string, { -readonly [K in keyof Sample]: Sample[K] }>();
    for await (const entry of tarEntries(handle, shard)) {
      const [, key, ending] = /^((?:.*\/)?[^/.]+)\.([^/]+)$/.exec(entry.name) ?? [];
      if (key === undefined) continue;
      const sample = samples.get(key) ?? { id: key, shard };
      samples.set(key, sample);
      if (imageEndings.some((image) => `.${ending.toLowerCase()}`.endsWith(image))) sample.image ??= entry;
      else if (entry.size <= maxText && texts.has(ending)) {
        const bytes = Buffer.alloc(entry.size);
        await handle.read(bytes, 0, entry.size, entry.offset);
        const { label, caption } = texts.get(ending)!(bytes.toString("utf8"));
        sample.label ??= label;
        sample.caption ??= caption;
      }
    }
    return [...samples.values()];
  } finally {
    await handle.close();
  }
}

type Facts = { label?: number; caption?: string };

const labelIn = (value: unknown): Facts =>
  Number.isInteger(value) && (value as number) >= 0 ? { label: value as number } : {};
const captionIn = (value: unknown): Facts =>
  typeof value === "string" && value.trim() !== "" ? { caption: value.trim() } : {};

const texts = new Map<string, (text: string) => Facts>([
  ["cls", (text) => (/^\s*\d{1,9}\s*$/.test(text) ? labelIn(Number(text)) : {})],
  ["txt", captionIn],
  ["caption", captionIn],
  ["json", (text) => factsOf(text)],
]);

function factsOf(text: string): Facts {
  try {
    const { label, cls, caption, text: words } = Object(parseJson(text, "json"));
    return { ...labelIn(label ?? cls), ...captionIn(caption ?? words) };
  } catch {
    return {}; // metadata that we have no use for
  }
}

async function readEntry(shard: string, { offset, size }: TarEntry): Promise<Uint8Array> {
  const handle = await open(shard).catch((cause) => {
    throw badInput(`cannot open ${shard}: ${cause.message}`, cause);
  });
  try {
    const bytes = Buffer.alloc(size);
    await handle.read(bytes, 0, size, offset);
    return bytes;
  } finally {
    await handle.close();
  }
}
