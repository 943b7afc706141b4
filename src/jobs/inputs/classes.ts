/** Class names as the model's tokenizer reads them: two that read alike are one class to the model, whatever the data says. */
import type { Tokenize } from "../../clip/tokenizer.ts";
import { badInput } from "../../tensor/error.ts";

/** Classes whose prompts are the same tokens, in groups of two and more. */
export function alike(tokenize: Tokenize, classNames: readonly string[], template: string) {
  const groups = new Map<string, string[]>();
  for (const name of classNames) {
    const key = tokenize(template.replaceAll("{}", () => name)).join(" ");
    groups.set(key, [...(groups.get(key) ?? []), name]);
  }
  return [...groups.values()].filter((group) => group.length > 1);
}

/** Words that a tokenizer of whole words does not have: they read as a word that nobody has. Byte pairs know every word. */
export function unknownWords(tokenize: Tokenize, texts: readonly string[]): readonly string[] {
  const words = new Set(texts.flatMap((text) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []));
  const nobodys = tokenize(nonsense).join(" ");
  if (nobodys !== tokenize(`${nonsense}${nonsense}`).join(" ")) return [];
  return [...words].filter((word) => tokenize(word).join(" ") === nobodys);
}

const nonsense = "zqxjkvwyzq";

type Classes = { readonly classNames: readonly string[]; readonly template: string; readonly target?: string };

/**
 * What to say of class names that the model cannot tell apart; nothing where all differ. Throws `bad-input` where accuracy would mean
 * nothing: the target is one of them, or most classes are.
 */
export function checkClasses(tokenize: Tokenize, { classNames, template, target }: Classes): readonly string[] {
  const groups = alike(tokenize, classNames, template);
  if (groups.length === 0) return [];
  const lost = unknownWords(tokenize, groups.flat());
  const why = lost.length === 0 ? "" : `; words that its vocabulary does not have: ${shortList(lost)}`;
  const what = `the model cannot tell these classes apart, its tokenizer reads their names alike: ${groups.slice(0, 5).map(shortList).join("; ")}${why}`;
  const most = groups.flat().length > classNames.length / 2;
  if (most || groups.some((group) => group.some((name) => name === target)))
    throw badInput(
      `${what}. Accuracy on them means nothing: name the classes in words that the model knows (--classes FILE)`,
    );
  return [`${what}. An image of one of them counts as right only under the first`];
}

/** What to say of texts with words that the model does not know; nothing where it knows all. */
export function checkTexts(tokenize: Tokenize, texts: readonly string[]): readonly string[] {
  const lost = unknownWords(tokenize, texts);
  if (lost.length === 0) return [];
  return [
    `words that the model's vocabulary does not have: ${shortList(lost)}; texts that differ in them alone share one embedding`,
  ];
}

function shortList(names: readonly string[]): string {
  const shown = names.slice(0, 6).map((name) => JSON.stringify(name));
  return `${shown.join(", ")}${names.length > 6 ? ` and ${names.length - 6} more` : ""}`;
}
