/** Where images come from, by what the user typed: the embedded world or a path; cut into sets that share no image. */
import { resolve } from "node:path";
import type { Dataset } from "../../data/dataset.ts";
import type { Encoding } from "../../data/formats/text.ts";
import type { OpenedDataset } from "../../data/open.ts";
import { splitDataset, take, validationSplit } from "../../data/split.ts";
import type { OpenedData } from "../../results/opened.ts";
import { badInput, unknownName } from "../../tensor/error.ts";
import { promptTemplates, vocabulary } from "../../world/captions.ts";
import { type LabelSet, labelSets, shapesWorld } from "../../world/shapes.ts";
import { openedData } from "./describe-opened.ts";
import { dataPath } from "./names.ts";
import { classesOf, templatesOf, usualTemplates } from "./words.ts";

export interface SourceOptions {
  readonly seed: number;
  /** Data sets with files of their own for testing: taken for the set called `test`. */
  readonly testData?: string;
  /** The same for the set called `validation`. */
  readonly validationData?: string;
  readonly skipBad?: boolean;
  /** A file with one class name a line, where the data does not name its classes. Or `imagenet`. */
  readonly classesFile?: string;
  /**
   * A file with one prompt template a line, `{}` (or `{c}`, `{class}`, ...) standing for the class name. Or the name of a data set in data/sets/prompts.ts, or `plain`.
   * Default: CLIP's own for a data set that its class names tell, else `plain`.
   */
  readonly templatesFile?: string;
  /** What tables, captions and lists of names are written in, where that is not UTF-8. */
  readonly encoding?: Encoding;
}

export interface Source {
  readonly name: string;
  /** Undefined for captioned images without classes. */
  readonly classNames?: readonly string[];
  readonly templates: readonly string[];
  /** Images there are to train on; undefined for the world, which has no end. */
  readonly size?: number;
  /** Words of its captions where they are known beforehand. */
  readonly vocabulary?: readonly string[];
  /** Disjoint sets of these sizes. Of a set too small for all of them each gets its share. */
  sets<Role extends string>(sizes: Readonly<Record<Role, number>>): Promise<Record<Role, Dataset>>;
  /** Images that could not be read and were left out. */
  readonly skipped: number;
  /** What was found, by what it is for; after `sets`, also what was drawn of it. */
  opened(): Readonly<Record<string, OpenedData>>;
}

/** The class names of a source. Throws TbarError where there are none, and for one alone: accuracy would be 100 % whatever the model is. */
export function neededClasses({ name, classNames, opened }: Source): readonly string[] {
  if (classNames === undefined) {
    const found = Object.values(opened());
    const captions = found.find((data) => data.captions !== undefined)?.captions;
    if (captions !== undefined && found.every((data) => data.labels === undefined))
      throw badInput(
        `${name} has captions (${captions}) and no labels, so no class can be right; bring class folders, or a table with a column label`,
      );
    throw badInput(`${name} has no class names; give them with --classes FILE`);
  }
  if (new Set(classNames).size < 2)
    throw badInput(
      `${name} has one class, ${JSON.stringify(classNames[0])}: every answer is right whatever the model is, and no figure means anything; ` +
        "bring images of more classes, or name classes that they are not with --classes FILE",
    );
  return classNames;
}

/** Prompts that the zero-shot head of a source's classes is made of; 0 where there are none. */
export const promptsOf = ({ classNames = [], templates }: Source) => classNames.length * templates.length;

/** Options by which sets are asked for, where the set has another name. */
const optionOf: Readonly<Record<string, string>> = {
  implant: "images",
  finetune: "images",
  train: "images",
  gallery: "count",
};

/** "--test 2000", of a set and its size. */
export const asked = (role: string, size: number): string => `--${optionOf[role] ?? role} ${size}`;

/** `shapes`, `shapes:texture` (another label set of the world), or a path as `openDataset` takes it. */
export async function openSource(given: string, options: SourceOptions): Promise<Source> {
  const text = dataPath(given);
  const { encoding, classesFile, templatesFile } = options;
  const classes = classesFile === undefined ? undefined : await classesOf(classesFile, encoding);
  const templates = templatesFile === undefined ? undefined : await templatesOf(templatesFile, encoding);

  const world = /^shapes(?::(\w+))?$/.exec(text);
  if (world !== null) {
    const labels = (world[1] ?? "class") as LabelSet;
    if (!Object.hasOwn(labelSets, labels)) throw unknownName("label set of the world", labels, Object.keys(labelSets));
    return {
      name: text,
      classNames: labelSets[labels],
      templates: templates ?? promptTemplates[labels],
      vocabulary,
      skipped: 0,
      opened: () => ({ data: { name: text, classes: labelSets[labels].length, leftOut: {}, notes: [] } }),
      sets: async (sizes) =>
        record(Object.keys(sizes) as (keyof typeof sizes)[], (role) => {
          const world = { seed: options.seed, split: String(role), size: Math.max(1, sizes[role]), labels };
          return take(shapesWorld(world), sizes[role]);
        }),
    };
  }

  const { openDataset } = await import("../../data/open.ts");
  const { skipBad, testData, validationData, seed } = options;
  const main = await openDataset(text, { skipBad, split: "train", encoding, classes });
  const sameClasses = main.classNames && { names: main.classNames, file: text }; // labels of all sets count one list
  const own = new Map<string, OpenedDataset>();
  for (const [role, path] of Object.entries({ test: testData, validation: validationData })) {
    if (path === undefined) continue;
    const set = await openDataset(path, { skipBad, split: "test", encoding, classes: classes ?? sameClasses });
    if (resolve(path) === resolve(text) && isSame(set, main))
      throw badInput(
        `--${role}-data ${path}: these are the images of --data, which has no parts of its own; leave the option out, and they are split`,
      );
    own.set(role, set);
  }
  let drawn: OpenedData["sets"];
  const found = once(() => ({
    data: openedData(main, main.skipped.length),
    ...Object.fromEntries([...own].map(([role, set]) => [role, openedData(set, set.skipped.length)])),
  }));
  return {
    name: main.name,
    opened: () => ({ ...found(), data: { ...found().data, ...(drawn && { sets: drawn }) } }),
    classNames: main.classNames ?? classes?.names,
    templates: templates ?? (await usualTemplates(main.classNames ?? classes?.names)),
    size: main.size,
    skipped: [main, ...own.values()].reduce((n, { skipped }) => n + skipped.length, 0),
    async sets(sizes) {
      const roles = Object.keys(sizes) as (keyof typeof sizes)[];
      const from = new Map<string, Dataset>(own);
      // beside an official test part, validation images are those of the reference code's rule, if they are enough
      const published = own.has("test") && !own.has("validation") ? validationSplit(main) : undefined;
      const kept =
        published !== undefined && roles.some((r) => r === "validation" && sizes[r] <= published.validation.size);
      if (kept) from.set("validation", published.validation);
      const rest = kept ? published.train : main;
      const split = roles.filter((role) => !from.has(String(role)));
      const wanted = split.reduce((sum, role) => sum + sizes[role], 0);
      const share = Math.min(1, rest.size / wanted);
      const each = record(split, (role) => Math.floor(sizes[role] * share + 1e-9));
      const parts = splitDataset(rest, each, seed);
      const empty = split.find((role) => sizes[role] > 0 && parts[role].size === 0);
      if (empty !== undefined) {
        const sum = split.map((role) => asked(String(role), sizes[role])).join(", ");
        throw badInput(
          `${sum}, but ${main.name} has only ${rest.size} images: none would be left for ${String(empty)}`,
        );
      }
      const sets = record(roles, (role) => {
        const images = from.get(String(role));
        return images === undefined
          ? parts[role]
          : splitDataset(images, { [role]: Math.min(sizes[role], images.size) }, seed)[role as string];
      });
      drawn = Object.fromEntries(
        roles.map((role) => {
          const images = sets[role].size;
          return [role, { images, ...(images < sizes[role] && { asked: sizes[role] }) }];
        }),
      );
      return sets;
    },
  };
}

function isSame(a: Dataset, b: Dataset): boolean {
  const ends = ({ size, example }: Dataset) => [example(0).id, example(size - 1).id];
  return a.name === b.name && a.size === b.size && String(ends(a)) === String(ends(b));
}

function once<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

function record<Key extends PropertyKey, Value>(keys: readonly Key[], value: (key: Key) => Value): Record<Key, Value> {
  return Object.fromEntries(keys.map((key) => [key, value(key)])) as Record<Key, Value>;
}
