/** What a job works on, said in one line once it is opened: a figure means what its images, labels and assumptions make it mean. */
import type { Activation } from "../checkpoint/config/config.ts";
import { printable } from "../tensor/printable.ts";

export interface OpenedData {
  readonly name: string;
  /** Absent for the built-in world, which draws as many as are asked for. */
  readonly images?: number;
  readonly classes?: number;
  /** Images in the classes that have least and most. */
  readonly least?: number;
  readonly most?: number;
  /** Images with a label, with a caption, where not all have one. */
  readonly labelled?: number;
  readonly captioned?: number;
  /** Where labels, captions and class names come from. */
  readonly labels?: string;
  readonly captions?: string;
  readonly classNames?: string;
  /** What lies there and is not used, counts by kind; images that could not be read among it. */
  readonly leftOut: Readonly<Record<string, number>>;
  /** Texts that look as if they had once been read in the wrong encoding, and are used as they are: how many, and the first. */
  readonly broken?: { readonly texts: number; readonly first: string };
  /** What was assumed. */
  readonly notes: readonly string[];
  /** Images in each set that was drawn; and what was asked for, where there were too few. */
  readonly sets?: Readonly<Record<string, { readonly images: number; readonly asked?: number }>>;
}

export interface OpenedModel {
  readonly name: string;
  readonly preprocess: string;
  readonly activation: Activation;
  /** What the checkpoint does not say and was taken for granted. */
  readonly assumptions: readonly string[];
  /** Tensors that were passed over because the user said so. */
  readonly ignored: readonly string[];
}

export interface Opened {
  readonly models?: readonly OpenedModel[];
  /** By what it is for: data, test, validation, captions. */
  readonly data?: Readonly<Record<string, OpenedData>>;
}

/** Two accounts as one. */
export function joinOpened(a: Opened | undefined, b: Opened): Opened {
  if (a === undefined) return b;
  return { models: [...(a.models ?? []), ...(b.models ?? [])], data: { ...a.data, ...b.data } };
}

/** At most so many characters of a line, and of a name in it. */
const lineLimit = 900;
const nameLimit = 60;

/** All of it in one line for eyes; JSON has what is cut off. */
export function openedLine({ models = [], data = {} }: Opened): string {
  const parts = [
    ...Object.entries(data).map(([role, one]) => `${role} ${dataText(one)}`),
    ...models.map((one) => `model ${modelText(one)}`),
  ];
  return printable(parts.join("; "), lineLimit);
}

export function dataText(data: OpenedData): string {
  const { name, images, classes, least, most, labelled, captioned, labels, captions, classNames, leftOut, broken, notes, sets } = data; // biome-ignore format: one line
  const each = least === undefined ? "" : least === most ? `, ${least} each` : `, ${least} to ${most} each`;
  const unnamed = labelled === undefined ? "" : `, ${labelled} of them labelled`;
  const facts = [
    `${images === undefined ? "as many images as asked" : counted(images, "image")}${classes === undefined ? "" : ` in ${counted(classes, "class", "es")}${each}${unnamed}`}`,
    labels && `labels by ${labels}`,
    captions && `captions by ${captions}${captioned === undefined ? "" : ` for ${captioned} of them`}`,
    classNames && `class names of ${short(classNames)}`,
    ...notes,
    Object.keys(leftOut).length > 0 && `left out: ${listText(Object.entries(leftOut).map(([kind, n]) => `${n} ${kind}`))}`,
    broken && `looks like text read in the wrong encoding: ${broken.texts}, the first ${JSON.stringify(broken.first)}`,
    ...Object.entries(sets ?? {}).flatMap(([role, { images, asked }]) => (asked === undefined ? [] : [`${role}: ${images} of ${asked} asked for`])),
  ]; // biome-ignore format: a list
  return `${short(name)}: ${facts.filter(Boolean).join(", ")}`;
}

export function modelText({ name, preprocess, activation, assumptions, ignored }: OpenedModel): string {
  const facts = [
    preprocess,
    activation,
    ...assumptions.map((what) => `assumed: ${what}`),
    ignored.length > 0 && `tensors not used: ${listText(ignored)}`,
  ];
  return `${short(name)}: ${facts.filter(Boolean).join(", ")}`;
}

const counted = (n: number, what: string, ending = "s") => `${n} ${what}${n === 1 ? "" : ending}`;
const short = (text: string) => (text.length > nameLimit ? `...${text.slice(-nameLimit)}` : text);
const listText = (all: readonly string[]) => `${all.slice(0, 8).map(short).join(", ")}${all.length > 8 ? ` and ${all.length - 8} more` : ""}`; // biome-ignore format: one line
