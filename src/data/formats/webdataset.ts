/** WebDataset shards: tar archives in which files of one key (`0001.jpg`, `0001.txt`, `0001.cls`, `0001.json`) are one example. */
import type { FileHandle } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { readBytes, withFile } from "../../files/files.ts";
import { parseJson } from "../../files/json.ts";
import { badInput } from "../../tensor/error.ts";
import type { Dataset } from "../dataset.ts";
import { decoded } from "../images/encoded.ts";
import { imageEndings } from "../images/image-kind.ts";
import { type ClassList, classNamesBeside } from "../sets/class-names.ts";
import { uniqueIds } from "../split.ts";
import { concurrently, filesAtOnce } from "./concurrently.ts";
import { gunzipped, type ReadAt } from "./gunzip.ts";
import { readLabels, type StoredLabel } from "./labels.ts";
import { type Counts, countsOf, isClean, kindOf, sumCounts } from "./listing.ts";
import { type TarEntry, tarEntries } from "./tar.ts";
import { decodeText, type Encoding } from "./text.ts";

/** Of a caption, label or JSON. */
export const maxText = 65_536;
const maxImage = 128 * 2 ** 20;

/** A shard's path, and the unpacked archive where it is compressed. */
interface Shard {
  readonly path: string;
  readonly unpacked?: ReadAt;
  readonly samples: readonly Sample[];
  readonly leftOut: Counts;
  readonly captions: ReadonlySet<string>;
  readonly labels: ReadonlySet<string>;
}

interface Facts {
  readonly label?: StoredLabel;
  readonly caption?: string;
}

interface Sample extends Facts {
  readonly id: string;
  /** Undefined where the key has no image: it fails when it is read. */
  readonly image?: TarEntry;
}

export interface ShardOptions {
  readonly encoding?: Encoding;
  readonly classes?: ClassList;
}

/**
 * Shards (.tar, and .tar.gz, which are unpacked first) as one data set, in order. A label is what stands in `.cls` (or `label`, `cls` in `.json`), a number or a class name; a
 * caption the text of `.txt` or `.caption` (or `caption`, `text` in `.json`); class names come from classes.json, classes.txt or classnames.txt beside the shards or above their part. Captions
 * and places are kept in memory, images are read when asked for. Throws TbarError on broken archives, links and names that lead out of them.
 */
export async function openWebDataset(
  paths: readonly string[],
  { encoding, classes }: ShardOptions = {},
): Promise<Dataset> {
  const shards: Shard[] = [];
  await concurrently(paths, filesAtOnce, async (path, i) => {
    shards[i] = await readShard(path, encoding);
  });
  const samples = shards.flatMap((shard) => shard.samples.map((sample) => ({ ...sample, shard })));
  if (samples.every(({ image }) => image === undefined))
    throw badInput(`no images in ${paths[0]}; endings read: ${imageEndings.join(" ")}`);
  const isLabelled = samples.some(({ label }) => label !== undefined);
  const list = classes ?? (await classNamesBeside(dirname(paths[0]), encoding));
  const place = (index: number) => `${samples[index].shard.path}: ${samples[index].id}`;
  const { labels, classNames } = readLabels(
    samples.map(({ label }) => label),
    list?.names,
    (index, reason) => {
      throw badInput(`${place(index)} ${reason}`);
    },
  );
  const ids = uniqueIds(samples.map(({ id }) => id));
  const sources = (pick: (shard: Shard) => ReadonlySet<string>) => [...new Set(shards.flatMap((s) => [...pick(s)]))].join(" and "); // biome-ignore format: one line
  const [labelsFrom, captionsFrom] = [sources((shard) => shard.labels), sources((shard) => shard.captions)];
  return decoded({
    name: nameOf(paths[0]),
    size: samples.length,
    classNames,
    contents: {
      ...(isLabelled && { labels: labelsFrom }),
      ...(captionsFrom !== "" && { captions: captionsFrom }),
      ...(list !== undefined && { classNames: list.file }),
      leftOut: sumCounts(shards.map(({ leftOut }) => leftOut)),
    },
    example: (index) => ({ id: ids[index], label: labels[index], caption: samples[index].caption }),
    async encoded(index) {
      const { image, shard } = samples[index];
      if (image === undefined) throw badInput(`${place(index)} has no image`);
      if (image.size > maxImage) throw badInput(`${place(index)} has ${image.size} bytes, more than ${maxImage}`);
      return readEntry(shard, image);
    },
    place,
  });
}

/** `cc3m-00000.tar` -> `cc3m`; `cc3m/00000.tar` too. */
function nameOf(path: string): string {
  const name = basename(path)
    .replace(/\.(tar|tar\.gz|tgz)$/i, "")
    .replace(/[-_.]?\d+$/, "");
  return name || basename(dirname(resolve(path)));
}

/** A gzip file whatever it is called: tools write .tar for both. */
async function unpackedOf(handle: FileHandle, path: string): Promise<ReadAt | undefined> {
  const { bytesRead, buffer } = await handle.read(new Uint8Array(2), 0, 2, 0);
  return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b ? gunzipped(handle, path) : undefined;
}

function readShard(path: string, encoding?: Encoding): Promise<Shard> {
  return withFile(path, async (handle) => {
    const unpacked = await unpackedOf(handle, path);
    const samples = new Map<string, { -readonly [K in keyof Sample]: Sample[K] }>();
    const left: string[] = [];
    const [captions, labels] = [new Set<string>(), new Set<string>()];
    for await (const entry of tarEntries(unpacked ?? handle, path)) {
      const [, key, ending] = /^((?:.*\/)?[^/.]+)\.([^/]+)$/.exec(entry.name) ?? [];
      const isImage = imageEndings.some((image) => `.${ending?.toLowerCase()}`.endsWith(image));
      const form = ending?.split(".").at(-1)?.toLowerCase() ?? ""; // of caption.txt too
      const isText = readers.has(form) && entry.size <= maxText;
      if (key === undefined || !isClean(entry.name) || !(isImage || isText)) {
        left.push(isClean(entry.name) ? kindOf(entry.name) : "hidden");
        continue;
      }
      const sample = samples.get(key) ?? { id: key };
      samples.set(key, sample);
      if (isImage) {
        if (sample.image !== undefined) left.push("further images of an example");
        sample.image ??= entry;
      } else {
        const bytes = await readBytes(unpacked ?? handle, entry.offset, entry.size, path);
        const text = decodeText(bytes, `${path}: ${entry.name}`, form === "json" ? undefined : encoding);
        const { label, caption } = factsIn(form, text);
        if (sample.label === undefined && label !== undefined) labels.add(`.${form}`);
        if (sample.caption === undefined && caption !== undefined) captions.add(`.${form}`);
        sample.label ??= label;
        sample.caption ??= caption;
      }
    }
    return { path, unpacked, samples: [...samples.values()], leftOut: countsOf(left), captions, labels };
  });
}

const labelIn = (value: unknown): Facts =>
  (typeof value === "number" && Number.isInteger(value)) || (typeof value === "string" && value.trim() !== "")
    ? { label: value }
    : {};
const captionIn = (value: unknown): Facts =>
  typeof value === "string" && value.trim() !== "" ? { caption: value.trim() } : {};

const readers = new Map<string, (text: string) => Facts>([
  ["cls", labelIn],
  ["txt", captionIn],
  ["caption", captionIn],
  ["json", (text) => factsOf(text)],
]);

/** What the text of a file of this ending (without a dot) says of an image. */
export const factsIn = (ending: string, text: string): Facts => readers.get(ending)?.(text) ?? {};

function factsOf(text: string): Facts {
  try {
    const { label, cls, caption, text: words } = Object(parseJson(text, "json"));
    return { ...labelIn(label ?? cls), ...captionIn(caption ?? words) };
  } catch {
    return {}; // metadata that we have no use for
  }
}

function readEntry({ path, unpacked }: Shard, { offset, size }: TarEntry): Promise<Uint8Array> {
  if (unpacked !== undefined) return readBytes(unpacked, offset, size, path);
  return withFile(path, (handle) => readBytes(handle, offset, size, path));
}
