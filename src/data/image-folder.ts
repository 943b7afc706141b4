/** A folder of images: FOLDER/CLASS/*.jpg with labels, or FOLDER/*.jpg without. */
import { readdir, stat } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { badInput } from "../tensor/error.ts";
import type { Dataset } from "./dataset.ts";
import type { Fit } from "./encoded.ts";
import { imageEndings } from "./image.ts";
import { type ImageFile, imageFiles } from "./image-files.ts";

/**
 * Classes are the subfolders in the order of their names, `_` read as a space (ImageNet's and SUN397's as CLIP calls them); deeper folders and other files are left
 * out. Where no subfolder holds an image, the folder's own images come without labels. Throws TbarError when there is none.
 */
export async function openImageFolder(folder: string, { fit }: { readonly fit?: Fit } = {}): Promise<Dataset> {
  const { images, folders } = await list(folder);
  const files: ImageFile[] = [];
  for (const [label, name] of folders.entries()) {
    const inside = await list(join(folder, name));
    files.push(...inside.images.map((image) => ({ id: `${name}/${image}`, file: join(folder, name, image), label })));
  }
  if (files.length > 0) return imageFiles(basename(folder), files, await classNamesOf(folders), fit);
  if (images.length === 0) {
    const deeper = folders.length > 0 ? ` (found ${folders.length} folders without images, such as ${folders[0]})` : "";
    throw badInput(`no images in ${folder}${deeper}; expected CLASS/*.jpg or *.jpg, endings ${imageEndings.join(" ")}`);
  }
  const unlabelled = images.map((image) => ({ id: image, file: join(folder, image) }));
  return imageFiles(basename(folder), unlabelled, undefined, fit);
}

/** Folders called by ImageNet's WordNet ids have OpenAI's names; SUN397's lose the letter that they begin with (`a_abbey`). */
async function classNamesOf(folders: readonly string[]): Promise<string[]> {
  if (folders.every((name) => /^n\d{8}$/.test(name))) {
    const { imagenetIds, imagenetNames } = await import("./imagenet-names.ts");
    return folders.map((id) => imagenetNames[imagenetIds.indexOf(id)] ?? id);
  }
  const isSun = folders.length === 397 && folders.every((name) => /^_?[a-z]_/.test(name));
  return folders.map((name) => (isSun ? name.replace(/^_?[a-z]_/, "") : name).replaceAll("_", " "));
}

/** Names of images and folders, each sorted by character code as Python does; hidden ones left out, links followed. */
async function list(folder: string): Promise<{ images: string[]; folders: string[] }> {
  const images: string[] = [];
  const folders: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.name.startsWith(".")) continue;
    const linked = entry.isSymbolicLink() ? await stat(join(folder, entry.name)).catch(() => undefined) : entry;
    if (linked?.isDirectory()) folders.push(entry.name);
    else if (imageEndings.includes(extname(entry.name).toLowerCase())) images.push(entry.name);
  }
  return { images: images.sort(), folders: folders.sort() };
}
