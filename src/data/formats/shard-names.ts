/** Names of many shards in one: `{00000..00041}.tar`, `{train,val}.tar`, and lists with `::`, as WebDataset and open_clip write them. */
import { badInput } from "../../tensor/error.ts";

const maxShards = 100_000;

export const namesMany = (path: string): boolean => path.includes("::") || /\{[^{}]*(\.\.|,)[^{}]*\}/.test(path);

/** All the names, in order. Throws TbarError on ranges that run backwards and on more than 100,000. */
export function expandNames(path: string): string[] {
  const names = path.split("::").flatMap((part) => expandBraces(part));
  if (names.length > maxShards) throw tooMany(path);
  return names;
}

function expandBraces(text: string): string[] {
  const found = /\{([^{}]*)\}/.exec(text);
  if (found === null) return [text];
  const [braces, inner] = found;
  const [before, after] = [text.slice(0, found.index), text.slice(found.index + braces.length)];
  const rests = expandBraces(after);
  const choices = choicesOf(inner, text);
  if (choices.length * rests.length > maxShards) throw tooMany(text);
  return choices.flatMap((choice) => rests.map((rest) => before + choice + rest));
}

function choicesOf(inner: string, text: string): string[] {
  const [, first, last] = /^(\d{1,12})\.\.(\d{1,12})$/.exec(inner) ?? [];
  if (first === undefined) return inner.includes(",") ? inner.split(",") : [`{${inner}}`];
  const count = Number(last) - Number(first) + 1;
  if (count < 1) throw badInput(`${text}: the range {${inner}} runs backwards`);
  if (count > maxShards) throw tooMany(text);
  const width = first.length; // as many digits as the first has, zeros before them
  return Array.from({ length: count }, (_, i) => String(Number(first) + i).padStart(width, "0"));
}

const tooMany = (text: string) => badInput(`${text.slice(0, 200)} names more than ${maxShards} shards`);
