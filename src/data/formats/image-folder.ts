/** A folder of images: FOLDER/CLASS/*.jpg with labels, or FOLDER/*.jpg without; captions in text files beside them. */
import { basename, join } from "node:path";
import { badInput } from "../../tensor/error.ts";
import type { Dataset } from "../dataset.ts";
import { imageEndings } from "../images/image-kind.ts";
import { type CaptionsBeside, captionsBeside } from "./captions-beside.ts";
import { concurrently } from "./concurrently.ts";
import { type ImageFile, imageFiles } from "./image-files.ts";
import { isNumber } from "./labels.ts";
import { type Counts, countsOf, isForeignName, kindOf, type Listing, listFolder, sumCounts } from "./listing.ts";
import type { Encoding } from "./text.ts";

interface FolderOptions {
  /** Of captions that are no UTF-8. */
  readonly encoding?: Encoding;
}

interface ClassFolder extends Listing, CaptionsBeside {
  readonly name: string;
}

/** Each reads several captions at a time, and a process may have only so many files open. */
const foldersAtOnce = 8;

/**
 * Classes are the subfolders with images in the order of their names (of their numbers where all are numbers), `_` read as a space (ImageNet's and SUN397's as CLIP calls
 * them). Deeper folders and other files are left out and counted. Where no subfolder holds an image, the folder's own images come without labels. An image's caption is the text
 * beside it; folders of img2dataset (00000, 00001, ...) are then no classes. Throws TbarError when there is no image, or none of a kind that is read in a class.
 */
export async function openImageFolder(folder: string, { encoding }: FolderOptions = {}): Promise<Dataset> {
  const top = await listFolder(folder);
  const inside: ClassFolder[] = [];
  await concurrently(top.folders, foldersAtOnce, async (name, i) => {
    inside[i] = await readClass(folder, name, encoding);
  });
  const classes = inside.filter(({ images }) => images.length > 0);
  const foreign = inside.find(({ images, others }) => images.length === 0 && others.some(isForeignName));
  if (foreign !== undefined && classes.length > 0)
    throw badInput(
      `${join(folder, foreign.name)} has images of kinds that are not read alone (${countsText(kindsOf(foreign.others))}): convert them, or take the folder away`,
    );
  if (classes.length === 0) return flat(folder, top, { encoding });

  const areNumbers = classes.every(({ name }) => isNumber(name));
  const ordered = areNumbers ? classes.toSorted((a, b) => Number(a.name) - Number(b.name)) : classes;
  const areShards = classes.every(({ name, ending }) => /^\d{4,}$/.test(name) && ending !== undefined);
  const files = ordered.flatMap(({ name, images, captions }, label): ImageFile[] =>
    images.map((image, i) => ({
      id: `${name}/${image}`,
      file: join(folder, name, image),
      ...(!areShards && { label }),
      ...(captions[i] !== undefined && { caption: captions[i] }),
    })),
  );
  const leftOut = sumCounts([
    top.leftOut,
    kindsOf(top.others),
    { "images beside the class folders": top.images.length },
    emptyOf(inside),
    ...classes.map(unusedOf),
  ]);
  const captioned = classes.find(({ ending }) => ending !== undefined)?.ending;
  const contents = {
    leftOut,
    ...(!areShards && { labels: "folders" }),
    ...(captioned !== undefined && { captions: `${captioned} beside each image` }),
    ...(areShards && { notes: [`folders ${ordered[0].name}, ... taken for shards, not for classes`] }),
  };
  const classNames = areShards ? undefined : await classNamesOf(ordered.map(({ name }) => name));
  return imageFiles(basename(folder), files, { classNames, contents });
}

async function readClass(folder: string, name: string, encoding?: Encoding): Promise<ClassFolder> {
  const listing = await listFolder(join(folder, name));
  const beside = await captionsBeside(join(folder, name), listing.images, new Set(listing.others), encoding);
  return { name, ...listing, ...beside };
}

async function flat(folder: string, top: Listing, { encoding }: FolderOptions): Promise<Dataset> {
  if (top.images.length === 0) {
    const deeper =
      top.folders.length > 0 ? ` (found ${top.folders.length} folders without images, such as ${top.folders[0]})` : "";
    const foreign = top.others.filter(isForeignName);
    const others = foreign.length > 0 ? ` (found ${countsText(kindsOf(foreign))}, which are not read)` : "";
    throw badInput(
      `no images in ${folder}${deeper}${others}; expected CLASS/*.jpg or *.jpg, endings ${imageEndings.join(" ")}`,
    );
  }
  const beside = await captionsBeside(folder, top.images, new Set(top.others), encoding);
  const files = top.images.map((image, i) => ({ id: image, file: join(folder, image), caption: beside.captions[i] }));
  const leftOut = sumCounts([unusedOf({ ...top, ...beside }), { "folders without an image": top.folders.length }]);
  const contents = {
    leftOut,
    ...(beside.ending !== undefined && { captions: `${beside.ending} beside each image` }),
  };
  return imageFiles(basename(folder), files, { contents });
}

/** Folders that are no class, with the name of the first. */
function emptyOf(folders: readonly ClassFolder[]): Counts {
  const empty = folders.filter(({ images }) => images.length === 0);
  if (empty.length === 0) return {};
  const names = `${empty[0].name.slice(0, 40)}${empty.length > 1 ? ", ..." : ""}`;
  return { [`folders without an image (${names})`]: empty.length };
}

/** Files of a folder that were not read: not those with captions, nor what img2dataset says of the same images in JSON. */
function unusedOf({ others, leftOut, ending, folders }: Listing & CaptionsBeside): Counts {
  const isUsed = (file: string) => ending !== undefined && (file.endsWith(ending) || file.endsWith(".json"));
  return sumCounts([leftOut, kindsOf(others.filter((file) => !isUsed(file))), { "deeper folders": folders.length }]);
}

const kindsOf = (files: readonly string[]): Counts => countsOf(files.map(kindOf));

const countsText = (counts: Counts) => Object.entries(counts).map(([kind, n]) => `${n} ${kind}`).join(", "); // biome-ignore format: one line

/** Folders called by ImageNet's WordNet ids have OpenAI's names; SUN397's lose the letter that they begin with (`a_abbey`). */
async function classNamesOf(folders: readonly string[]): Promise<string[]> {
  if (folders.every((name) => /^n\d{8}$/.test(name))) {
    const { imagenetIds, imagenetNames } = await import("../sets/imagenet-names.ts");
    return folders.map((id) => imagenetNames[imagenetIds.indexOf(id)] ?? id);
  }
  const isSun = folders.length === 397 && folders.every((name) => /^_?[a-z]_/.test(name));
  return folders.map((name) => (isSun ? name.replace(/^_?[a-z]_/, "") : name).replaceAll("_", " "));
}
