/** A user's data set by its path: what is there decides how it is read. */
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { readSmallFile } from "../files/files.ts";
import { lfsPointerLimit, refuseLfsPointer } from "../files/lfs.ts";
import { badInput } from "../tensor/error.ts";
import { listed } from "../tensor/printable.ts";
import { checkImages, type OpenedDataset, withoutLostClasses } from "./check.ts";
import type { Dataset } from "./dataset.ts";
import { openCifar } from "./formats/cifar.ts";
import { withClasses } from "./formats/given-classes.ts";
import { openImageFolder } from "./formats/image-folder.ts";
import { isTable, openImageTable } from "./formats/image-table.ts";
import { countsOf, kindOf, listFolder, sumCounts } from "./formats/listing.ts";
import { expandNames, namesMany } from "./formats/shard-names.ts";
import type { Encoding } from "./formats/text.ts";
import { type ClassList, classNamesBeside, isPartName } from "./sets/class-names.ts";
import { concat } from "./split.ts";

export type { OpenedDataset } from "./check.ts";

export type Split = "train" | "test";

export interface OpenOptions {
  /** Which of the official parts; needed where there are both. */
  readonly split?: Split;
  /** Leave out records that cannot be read, instead of failing on the first: costs a pass over all images. */
  readonly skipBad?: boolean;
  /** Of tables, captions and lists of names that are no UTF-8. */
  readonly encoding?: Encoding;
  /** Names of the classes, for labels without names or instead of their own. */
  readonly classes?: ClassList;
}

const forms =
  "a folder of class folders or of images, a .csv, .tsv or .jsonl with image,label or image,caption, Flickr's or COCO's captions, Parquet files, " +
  "WebDataset shards (.tar, .tar.gz, {0000..0041}.tar), CIFAR's files (binary or Python), ImageNet's validation images with their labels, or SUN397 with its partitions";

/**
 * Any of the forms that docs/data.md lists. Throws TbarError when the path is none of them, holds nothing, or has several parts and no `split` says which.
 */
export async function openDataset(path: string, options: OpenOptions = {}): Promise<OpenedDataset> {
  const dataset = await open(path, options);
  const skipped = "skipped" in dataset ? (dataset as OpenedDataset).skipped : [];
  const curated = { ...dataset, classNames: dataset.classNames && (await curatedNames(dataset.classNames)) };
  const named = options.classes === undefined ? curated : withClasses(curated, options.classes);
  if (!options.skipBad) return { ...named, skipped };
  const { good, bad } = await checkImages(named);
  if (good.size === 0)
    throw badInput(`none of the ${bad.length} images of ${path} can be read; the first: ${bad[0].reason}`);
  const counted = { ...good, contents: named.contents };
  return {
    ...(options.classes === undefined ? withoutLostClasses(counted, named) : counted),
    skipped: [...skipped, ...bad],
  };
}

async function curatedNames(classNames: readonly string[]): Promise<readonly string[]> {
  return classNames.length === 1000 ? (await import("./sets/prompts.ts")).curated(classNames) : classNames;
}

async function open(path: string, options: OpenOptions): Promise<Dataset> {
  if (namesMany(path)) return openMany(path, options);
  const found = await stat(path).catch((cause) => {
    throw badInput(`no such file or folder: ${path}; a data set is ${forms}`, cause);
  });
  if (found.isDirectory()) return openFolder(path, options);
  if (!found.isFile()) throw badInput(`${path} is no regular file: pipes, sockets and devices are not read`);
  if (found.size <= lfsPointerLimit) refuseLfsPointer(await readSmallFile(path, lfsPointerLimit), path);
  if (path.endsWith(".bin")) return openCifar(path);
  return kindOfFile(path).open([path], options);
}

function kindOfFile(path: string): Kind {
  const kind =
    [...kinds, table].find(({ file }) => file.test(basename(path))) ?? (/\.jsonl$/i.test(path) ? table : undefined);
  if (kind === undefined) throw badInput(`${path} is not a data set; expected ${forms}`);
  return kind;
}

/** Shards by a range or a list of names; all of one form. */
async function openMany(path: string, options: OpenOptions): Promise<Dataset> {
  const files = expandNames(path);
  const [first] = files;
  const kind = kindOfFile(first);
  const stranger = files.find((file) => !kind.file.test(basename(file)));
  if (kind === table || stranger !== undefined)
    throw badInput(`${path}: only shards of one form can be listed, and ${stranger ?? first} is none`);
  return kind.open(files, options);
}

/** A form by the names of its files; `open` gets those of one split. What reads the rarer forms is loaded only for them. */
interface Kind {
  readonly file: { test(name: string): boolean };
  open(files: readonly string[], options: OpenOptions): Promise<Dataset>;
}

const kinds: readonly Kind[] = [
  {
    file: /\.(tar|tar\.gz|tgz)$/i, // before Parquet: img2dataset puts a table of its shards beside them
    open: async (files, options) => (await import("./formats/webdataset.ts")).openWebDataset(files, options),
  },
  {
    file: /^(train|test|data_batch_\d+|test_batch)\.bin$/,
    open: async (files) => joined(await Promise.all(files.map(openCifar))),
  },
  {
    file: /^(train|test|data_batch_\d+|test_batch)$/,
    async open(files) {
      const { openCifarPython } = await import("./formats/cifar-python.ts");
      return joined(await Promise.all(files.map(openCifarPython)));
    },
  },
  {
    file: /\.parquet$/,
    async open(files, { encoding, classes }) {
      const list = classes ?? (await classNamesBeside(dirname(files[0]), encoding));
      return (await import("./formats/parquet.ts")).openParquet(files, { classes: list });
    },
  },
  {
    file: /^(Training|Testing)_\d{2}\.txt$/,
    open: async ([first], options) => (await import("./sets/sun397.ts")).openSun397(first, options), // the first partition
  },
];

const table: Kind = { file: { test: isTable }, open: ([file], options) => openImageTable(file, options) };

const joined = (parts: readonly Dataset[]) => (parts.length === 1 ? parts[0] : concat(parts));

async function openFolder(path: string, options: OpenOptions): Promise<Dataset> {
  const { files, folders } = await namesIn(path);
  const isSharded = (name: string) => folders.includes(name.replace(/\.parquet$/, "")); // img2dataset's table of a folder of images
  for (const kind of kinds) {
    const found = files.filter((name) => kind.file.test(name) && !isSharded(name));
    if (found.length === 0) continue;
    const chosen = ofSplit(path, found, options.split).map((name) => join(path, name));
    return besides(await kind.open(chosen, options), files, found);
  }
  const tables = files.filter(isTable);
  const { isFlatImageNet, openFlatImageNet, unlabelledImageNet } = await import("./sets/imagenet.ts");
  if (isFlatImageNet(files)) {
    const labelled = await openFlatImageNet(path);
    if (labelled !== undefined) return labelled;
    if (tables.length === 0 && folders.length === 0) throw unlabelledImageNet(path); // else these say what the images are
  }
  if (tables.length === 1) return table.open([join(path, tables[0])], options);
  if (tables.length > 1) throw badInput(`${path} has ${tables.length} tables; name one of ${tables.join(", ")}`);
  const part = await partFolder(path, folders, options.split);
  return part === undefined ? openImageFolder(path, options) : openFolder(part, options);
}

/** Sorted, without junk; a link is what it leads to. */
async function namesIn(path: string): Promise<{ readonly files: string[]; readonly folders: string[] }> {
  const { images, others, folders } = await listFolder(path);
  return { files: [...images, ...others].sort(), folders: [...folders] };
}

/** Shards alone are read of a folder that has them; what else lies there is counted, but for lists of names and accounts of shards. */
function besides(dataset: Dataset, files: readonly string[], read: readonly string[]): Dataset {
  const isKnown =
    /^(class(es|names)\.(txt|json)|.*_templates\.txt|nshards\.txt|.*_stats\.json|readme(\.\w+)?|batches\.meta(\.txt)?|meta|.*_label_names\.txt|file\.txt~?)$/i;
  const others = files.filter((name) => !read.includes(name) && !isKnown.test(name));
  if (others.length === 0) return dataset;
  const leftOut = sumCounts([dataset.contents?.leftOut ?? {}, countsOf(others.map(kindOf))]);
  return { ...dataset, contents: { ...dataset.contents, leftOut } };
}

/** The folder of a split where there are folders for splits alone; `data` where Hugging Face puts its files into it. */
async function partFolder(path: string, folders: readonly string[], split?: Split): Promise<string | undefined> {
  const parts = folders.filter(isPartName); // one alone among others may be a class: trains are
  if (parts.length > 0 && (parts.length === folders.length || parts.length > 1))
    return join(path, ofSplit(path, parts, split)[0]);
  if (!folders.includes("data")) return undefined;
  const inside = await readdir(join(path, "data"));
  return inside.some((name) => /\.(parquet|tar|tar\.gz|tgz)$/.test(name)) ? join(path, "data") : undefined;
}

/** Of files (or folders) that are marked as one split's by how their names begin those asked for; unmarked ones are all one set. */
function ofSplit(folder: string, names: readonly string[], split?: Split): readonly string[] {
  const begin = (pattern: RegExp) => names.filter((name) => pattern.test(name));
  const [train, test] = [begin(/^(train|data_batch)/i), begin(/^test/i)];
  const held = test.length > 0 ? test : begin(/^val/i);
  if (train.length + held.length === 0) return names;
  const shown = listed(names, 12);
  if (split === undefined && train.length > 0 && held.length > 0)
    throw badInput(`${folder} has ${shown}; name one of them, or ask for the train or test split`);
  const chosen = split === undefined ? [...train, ...held] : split === "train" ? train : held;
  if (chosen.length === 0) throw badInput(`${folder} has no ${split} file; it has ${shown}`);
  return chosen;
}
