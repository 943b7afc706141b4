/** Class names that the user gives (`--classes`) to a data set that has labels, or names, of its own. */
import { badInput } from "../../tensor/error.ts";
import type { Dataset } from "../dataset.ts";
import type { ClassList } from "../sets/class-names.ts";
import { isNumber } from "./labels.ts";

/**
 * The data set with the given classes. Where its own names are among them, each keeps its name, whatever the order; own names that are numbers count the given ones
 * from 0 (folder "2" is the third line); else as many of them are renamed in order. Throws TbarError where a label has no name, or names meet by chance alone.
 */
export function withClasses(dataset: Dataset, { names, file }: ClassList): Dataset {
  const own = dataset.classNames;
  if (own === names) return dataset;
  const contents = { ...dataset.contents, classNames: file };
  if (own === undefined) {
    for (let i = 0; i < dataset.size; i++) {
      const { id, label = 0 } = dataset.example(i);
      if (label >= names.length)
        throw badInput(
          `${dataset.name}: ${id} has label ${label}, and ${file} names ${names.length} classes (0 to ${names.length - 1})`,
        );
    }
    return { ...dataset, classNames: names, contents };
  }
  const { places, note } = placesOf(own, names, file, dataset.name);
  return {
    ...dataset,
    classNames: names,
    contents: { ...contents, notes: [...(contents.notes ?? []), ...(note === undefined ? [] : [note])] },
    example(index) {
      const example = dataset.example(index);
      return example.label === undefined ? example : { ...example, label: places[example.label] };
    },
  };
}

/** A name however it is written: `Great_Owl` is "great owl". */
const keyOf = (name: string) => name.normalize("NFC").toLowerCase().replaceAll("_", " ").trim();

/** Where each of a data set's own classes stands among the given ones. */
function placesOf(own: readonly string[], names: readonly string[], file: string, data: string) {
  const inOrder = own.map((_, i) => i);
  if (own.length === names.length && own.every((name, i) => name === names[i])) return { places: inOrder };
  const keys = names.map(keyOf);
  const areTold = new Set(keys).size === names.length; // apart by their keys too
  const byName = own.map((name) => (areTold ? keys.indexOf(keyOf(name)) : names.indexOf(name)));
  if (byName.every((place) => place >= 0)) return { places: byName };
  if (own.every(isNumber)) {
    const beyond = own.find((name) => !(Number(name) >= 0 && Number(name) < names.length));
    if (beyond !== undefined)
      throw badInput(
        `${data}: class ${beyond} is none of the ${names.length} that ${file} names (0 to ${names.length - 1})`,
      );
    return { places: own.map(Number), note: "numbered classes count the given names from 0" };
  }
  const moved = byName.findIndex((place, i) => place >= 0 && place !== i);
  if (own.length !== names.length || moved >= 0) {
    const stranger = own[byName.indexOf(-1)];
    throw badInput(
      `${file} names ${names.length} classes and ${data} has ${own.length} of its own, of which "${stranger}" is not among them; ` +
        "list the same names, or as many new ones in the order of the old",
    );
  }
  return { places: inOrder, note: `classes renamed in order ("${own[0]}" is "${names[0]}", ...)` };
}
