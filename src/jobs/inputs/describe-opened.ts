/** The facts of what is opened: counted labels and captions, and what a checkpoint takes for granted. */
import { basename } from "node:path";
import type { ClipConfig } from "../../checkpoint/config/config.ts";
import { describePreprocess, type Preprocess } from "../../checkpoint/config/preprocess.ts";
import { staysBroken } from "../../clip/clean-text.ts";
import type { Contents, Dataset } from "../../data/dataset.ts";
import type { OpenedData, OpenedModel } from "../../results/opened.ts";
import { printable } from "../../tensor/printable.ts";

/** Facts of a data set. Looks at all labels and captions, at no image. */
export function openedData(dataset: Dataset, skipped = 0): OpenedData {
  const { name, size, classNames, contents = {} } = dataset;
  const counts = new Map<number, number>();
  let captioned = 0;
  const broken: string[] = (classNames ?? []).filter(staysBroken);
  for (let i = 0; i < size; i++) {
    const { label, caption } = dataset.example(i);
    if (label !== undefined) counts.set(label, (counts.get(label) ?? 0) + 1);
    if (caption === undefined) continue;
    captioned++;
    if (staysBroken(caption)) broken.push(caption);
  }
  const labelled = [...counts.values()].reduce((sum, n) => sum + n, 0);
  const classes = classNames?.length ?? (counts.size > 0 ? counts.size : undefined);
  const hasAll = classes !== undefined && counts.size >= classes;
  const { labels, captions, classNames: list, leftOut = {}, notes = [] }: Contents = contents;
  return {
    name,
    images: size,
    ...(classes !== undefined && { classes }),
    ...(labelled > 0 && { least: hasAll ? Math.min(...counts.values()) : 0, most: Math.max(...counts.values()) }),
    ...(labelled > 0 && labelled < size && { labelled }),
    ...(captioned > 0 && captioned < size && { captioned }),
    ...(labels !== undefined && { labels }),
    ...(captions !== undefined && { captions }),
    ...(list !== undefined && { classNames: list }),
    leftOut: skipped > 0 ? { ...leftOut, "unreadable images": skipped } : leftOut,
    ...(broken.length > 0 && { broken: { texts: broken.length, first: printable(broken[0], 80) } }),
    notes,
  };
}

/** Facts of a checkpoint, or of a model in ONNX. */
export function openedModel(model: {
  readonly path: string;
  readonly config: ClipConfig;
  readonly preprocess: Preprocess;
  readonly assumptions?: readonly string[];
  readonly ignored?: readonly string[];
}): OpenedModel {
  const { path, config, preprocess, assumptions = [], ignored = [] } = model;
  const activation = config.text.activation;
  return { name: basename(path), preprocess: describePreprocess(preprocess), activation, assumptions, ignored };
}
