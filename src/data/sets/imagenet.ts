/** ImageNet-1K's validation images in one folder, and the file of labels that came with them. */
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { badInput, type TbarError } from "../../tensor/error.ts";
import type { Dataset } from "../dataset.ts";
import { imageFiles } from "../formats/image-files.ts";
import { readLines } from "./class-names.ts";
import { imagenetIds, imagenetNames } from "./imagenet-names.ts";

const imageName = /^ILSVRC2012_val_(\d{8})\.JPEG$/;

/** Whether files of a folder are images of the validation set, named as it names them. */
export const isFlatImageNet = (files: readonly string[]): boolean => files.some((name) => imageName.test(name));

/** One line of a label file: an image's name and its label, or undefined. */
type Line = (line: string, index: number) => readonly [string, number | undefined] | undefined;

const padded = (n: number) => `ILSVRC2012_val_${String(n).padStart(8, "0")}.JPEG`;
const byId = (id: string) => {
  const label = imagenetIds.indexOf(id);
  return label < 0 ? undefined : label;
};
const pairs: Line = (line) => {
  const [image, label] = line.split(/[\s,]+/);
  return [image.replace(/^.*\//, ""), /^\d{1,4}$/.test(label) ? Number(label) : byId(label)];
};

/** Files by the names under which they are passed around. */
const labelFiles: Readonly<Record<string, Line>> = {
  "val.txt": pairs,
  "val_map.txt": pairs,
  "LOC_val_solution.csv": (line, index) =>
    index === 0 ? undefined : [`${line.split(",")[0]}.JPEG`, byId(line.split(/[, ]/)[1])], // Kaggle
  "imagenet_2012_validation_synset_labels.txt": (line, index) => [padded(index + 1), byId(line)],
};

/**
 * The images of a folder, labelled 0 to 999 in the order of the WordNet ids by a file in it or beside it: val.txt ("NAME LABEL" a line, the label a number or
 * a WordNet id), LOC_val_solution.csv (Kaggle's) or imagenet_2012_validation_synset_labels.txt (an id a line); undefined where there is no such file. Throws
 * TbarError naming the first image that the file leaves without a label.
 */
export async function openFlatImageNet(folder: string): Promise<Dataset | undefined> {
  const images = (await readdir(folder)).filter((name) => imageName.test(name)).sort();
  for (const place of [folder, dirname(folder)]) {
    for (const [name, parse] of Object.entries(labelFiles)) {
      const lines = await readLines(join(place, name));
      if (lines === undefined) continue;
      const labels = new Map(lines.map(parse).filter((pair) => pair !== undefined));
      const files = images.map((image) => {
        const label = labels.get(image);
        if (label === undefined || label > 999)
          throw badInput(`${join(place, name)} has no label from 0 to 999 for ${image}`);
        return { id: image, file: join(folder, image), label };
      });
      return imageFiles("imagenet", files, { classNames: imagenetNames, contents: { labels: name } });
    }
  }
  return undefined;
}

export function unlabelledImageNet(folder: string): TbarError {
  return badInput(
    `${folder} has ImageNet's validation images and no labels; put one of ${Object.keys(labelFiles).join(", ")} beside them ` +
      "(ILSVRC2012_validation_ground_truth.txt counts classes in another order), or sort them into class folders",
  );
}
