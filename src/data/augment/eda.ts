/**
 * Easy data augmentation of text (Wei and Zou 2019, arXiv 1901.11196) as CleanCLIP uses it: one of a few changes, a tenth of the words each. Of
 * its four changes those two that need no thesaurus: words swapped, words left out. Replacing by synonyms and inserting them need WordNet.
 */
import { random } from "../../tensor/random.ts";

/** Share of the words that is changed, one at least. */
const share = 0.1;

/** The same text changed, always in the same way: lower case, nothing but letters and single spaces. A text of one word stays. */
export function eda(text: string, ...seed: readonly (number | string)[]): string {
  const words = text.toLowerCase().replace(/[^a-z]+/g, " ").trim().split(" "); // biome-ignore format: one line
  if (words.length < 2) return words.join(" ");
  const draw = random(...seed, "eda", text);
  const count = Math.max(1, Math.round(share * words.length));
  if (draw.uniform() < 0.5) {
    for (let n = 0; n < count; n++) {
      const i = draw.int(words.length);
      const j = (i + 1 + draw.int(words.length - 1)) % words.length;
      [words[i], words[j]] = [words[j], words[i]];
    }
    return words.join(" ");
  }
  const gone = new Set(draw.shuffle([...words.keys()]).slice(0, Math.min(count, words.length - 1)));
  return words.filter((_, i) => !gone.has(i)).join(" ");
}
