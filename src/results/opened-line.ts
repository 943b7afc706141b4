/** What a job works on, said in one line once it is opened. Pages of help load this and no schema. */
import { printable } from "../tensor/printable.ts";
import type { Opened, OpenedData, OpenedModel } from "./opened.ts";

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
  const parts = Object.entries(data).map(([role, one]) => `${role} ${dataText(one)}`);
  return printable([...parts, ...models.map((one) => `model ${modelText(one)}`)].join("; "), lineLimit);
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
