/** A user's data set by its path: what is there decides how it is read. */
import { readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { badInput } from "../tensor/error.ts";
import { type BadImage, checkImages } from "./check.ts";
import { openCifar } from "./cifar.ts";
import { openCsv } from "./csv.ts";
import type { Dataset } from "./dataset.ts";
import type { Fit } from "./encoded.ts";
import { openImageFolder } from "./image-folder.ts";
import { concat } from "./split.ts";

export interface OpenOptions {
  /** How image files are framed. Default crop. */
  readonly fit?: Fit;
  /** Which files of a CIFAR folder; needed where it has both. */
  readonly split?: "train" | "test";
  /** Leave out images that cannot be read, instead of failing on the first: costs a pass over all of them. */
  readonly skipBad?: boolean;
}

export interface OpenedDataset extends Dataset {
  /** The images left out by `skipBad`. */
  readonly skipped: readonly BadImage[];
}

const forms =
  "a folder of class folders, a folder of images, a .csv or .tsv with image,label or image,caption, or CIFAR .bin";

/**
 * Folder of CLASS/*.jpg, folder of *.jpg, CSV (or the folder with one CSV in it), CIFAR .bin or its folder. Throws
 * TbarError when the path is none of these or holds nothing.
 */
export async function openDataset(path: string, options: OpenOptions = {}): Promise<OpenedDataset> {
  const dataset = await open(path, options);
  if (!options.skipBad) return { ...dataset, skipped: [] };
  const { good, bad } = await checkImages(dataset);
  if (good.size === 0)
    throw badInput(`none of the ${bad.length} images of ${path} can be read; the first: ${bad[0].reason}`);
  return { ...good, skipped: bad };
}

async function open(path: string, { fit, split, skipBad }: OpenOptions): Promise<Dataset> {
  const found = await stat(path).catch((cause) => {
    throw badInput(`no such file or folder: ${path}; a data set is ${forms}`, cause);
  });
  if (!found.isDirectory()) {
    const ending = extname(path).toLowerCase();
    if (ending === ".csv" || ending === ".tsv") return openCsv(path, { fit, allowMissing: skipBad });
    if (ending === ".bin") return openCifar(path);
    throw badInput(`${path} is not a data set; expected ${forms}`);
  }
  const names = (await readdir(path)).sort();
  if (names.some((name) => cifarFiles.train.test(name) || cifarFiles.test.test(name)))
    return openCifarFolder(path, names, split);
  const tables = names.filter((name) => /\.[ct]sv$/i.test(name));
  if (tables.length === 1) return openCsv(join(path, tables[0]), { fit, allowMissing: skipBad });
  if (tables.length > 1) throw badInput(`${path} has ${tables.length} tables; name one of ${tables.join(", ")}`);
  return openImageFolder(path, { fit });
}

/** As CIFAR-100 and CIFAR-10 name them. */
const cifarFiles = { train: /^(train|data_batch_\d+)\.bin$/, test: /^(test|test_batch)\.bin$/ };

async function openCifarFolder(folder: string, names: readonly string[], split?: "train" | "test"): Promise<Dataset> {
  const files = {
    train: names.filter((name) => cifarFiles.train.test(name)),
    test: names.filter((name) => cifarFiles.test.test(name)),
  };
  if (split === undefined && files.train.length > 0 && files.test.length > 0) {
    throw badInput(
      `${folder} has ${[...files.train, ...files.test].join(", ")}; name one of them, or ask for the train or test split`,
    );
  }
  const chosen = split === undefined ? [...files.train, ...files.test] : files[split];
  if (chosen.length === 0)
    throw badInput(`${folder} has no ${split} file; it has ${[...files.train, ...files.test].join(", ")}`);
  const parts = await Promise.all(chosen.map((name) => openCifar(join(folder, name))));
  return parts.length === 1 ? parts[0] : concat(parts);
}
