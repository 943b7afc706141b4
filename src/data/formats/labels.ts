/** Labels as they are stored, numbers or names, to class indices. */
import { unknownName } from "../../tensor/error.ts";

/** Digits in a text are a number, as are those that a spreadsheet gave a `.0`. */
const digits = /^\s*[+-]?\d{1,15}(\.0*)?\s*$/;

export type StoredLabel = string | number | undefined;

/** Whether a stored label counts classes instead of naming one. */
export const isNumber = (label: StoredLabel): boolean => typeof label === "number" || digits.test(label ?? "");

export interface Labels {
  /** Undefined where there is none, and where `bad` was told of it. */
  readonly labels: readonly (number | undefined)[];
  readonly classNames?: readonly string[];
}

/**
 * All labels are numbers, counted from 0 in the order of `known` names, or all are names: of `known`, or else the classes are the names found, in sorted order. `bad` is
 * told of each that cannot be used: a negative one, one without a name, a name that is not known, one that is no number among numbers.
 */
export function readLabels(
  stored: readonly StoredLabel[],
  known: readonly string[] | undefined,
  bad: (index: number, reason: string) => void,
): Labels {
  const present = stored.filter((label) => label !== undefined);
  const index = new Map(known?.map((name, i) => [name, i]));
  const numbers = present.filter(isNumber).length;
  const areNames =
    numbers === 0 || (numbers < present.length && present.every((label) => index.has(String(label).trim())));
  const classNames =
    areNames && present.length > 0
      ? (known ?? [...new Set(present.map((label) => String(label).trim()))].sort())
      : known;
  if (areNames && known === undefined) for (const [i, name] of (classNames ?? []).entries()) index.set(name, i);
  const labels = stored.map((label, i) => {
    const found = label === undefined ? undefined : areNames ? nameLabel(String(label).trim()) : numberLabel(label);
    if (typeof found !== "string") return found;
    bad(i, found);
    return undefined;
  });
  return { labels, classNames };

  function nameLabel(name: string): number | string {
    return index.get(name) ?? `has an ${unknownName("class", name, classNames ?? []).message}`;
  }
  function numberLabel(label: string | number): number | string {
    if (!isNumber(label))
      return `has label ${JSON.stringify(String(label).slice(0, 80))} where ${numbers} others are numbers; name all classes, or give their names with --classes FILE`;
    const value = Number(label);
    const range = known === undefined ? "" : ` of ${known.length} classes (0 to ${known.length - 1})`;
    if (!Number.isInteger(value)) return `has label ${value}, which is no whole number`;
    if (value < 0) return `has label ${value}: labels are counted from 0`;
    return value < (known?.length ?? 2 ** 31) ? value : `has label ${value}${range}`;
  }
}
