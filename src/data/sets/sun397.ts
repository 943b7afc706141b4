/** SUN397 by its official partitions: files with one image path a line, /a/abbey/sun_aaalbzqrimafwbiv.jpg. */
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { badInput } from "../../tensor/error.ts";
import type { Dataset } from "../dataset.ts";
import { imageFiles } from "../formats/image-files.ts";
import { readLines } from "./class-names.ts";

export interface SunOptions {
  /** Leave missing files to fail when they are read. */
  readonly skipBad?: boolean;
}

/**
 * The images that a partition file lists; they lie beside it, or in SUN397 or images beside it or above it. Classes are those of ClassName.txt beside it, else the file's own, sorted; a
 * name is the path less its first letter, `_` and deeper folders read as spaces: church outdoor. Throws TbarError on lines that are no such path and naming the first image missing.
 */
export async function openSun397(file: string, { skipBad = false }: SunOptions = {}): Promise<Dataset> {
  const lines = await readLines(file);
  if (lines === undefined || lines.length === 0) throw badInput(`${file} lists no images`);
  const wrong = lines.find((line) => !/^\/?[a-z](\/[\w-]+){1,3}\/[\w.-]+$/.test(line) || line.includes(".."));
  if (wrong !== undefined) throw badInput(`${file}: "${wrong.slice(0, 80)}" is no path such as /a/abbey/sun_1.jpg`);
  const paths = lines.map((line) => line.replace(/^\/?/, "/"));
  const folder = dirname(file);
  const roots = [folder, dirname(folder)].flatMap((place) => [place, join(place, "SUN397"), join(place, "images")]);
  const root = roots.find((root) => existsSync(join(root, paths[0]))) ?? folder;
  const missing = skipBad ? undefined : paths.find((path) => !existsSync(join(root, path)));
  if (missing !== undefined) throw badInput(`${file} lists ${missing}, which is not in ${root}`);
  const classes =
    (await readLines(join(folder, "ClassName.txt"))) ?? [...new Set(paths.map((path) => dirname(path)))].sort();
  const labels = new Map(classes.map((path, label) => [path, label]));
  const files = paths.map((path) => {
    const label = labels.get(dirname(path));
    if (label === undefined) throw badInput(`${file}: ${path} is of no class in ClassName.txt`);
    return { id: path.slice(1), file: join(root, path), label };
  });
  const names = classes.map((path) => path.replace(/^\/?[a-z]\//, "").replace(/[_/]/g, " "));
  return imageFiles(`sun397-${basename(file, ".txt").toLowerCase()}`, files, {
    classNames: names,
    contents: { labels: basename(file) },
  });
}
