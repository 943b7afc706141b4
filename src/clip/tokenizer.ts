/** Texts to ids by a tokenizer.json, and a word-level tokenizer.json for models that we pre-train ourselves. */

import type { TextConfig } from "../checkpoint/config/config.ts";
import { badInput } from "../tensor/error.ts";
import { printable } from "../tensor/printable.ts";
import { cleanText } from "./clean-text.ts";
import { tokenizerSettings } from "./tokenizer-settings.ts";

/** Ids of a text with start and end, cut to the context length with the end kept; for SigLIP padded to it. */
export type Tokenize = (text: string) => number[];

/**
 * A tokenizer from the text of a tokenizer.json. Before CLIP's own byte pairs a text is cleaned as OpenAI does it. Throws `bad-input` when
 * the JSON does not parse, does not fit the model, or has a setting that no tokenizer of CLIP or SigLIP has.
 */
export async function loadTokenizer(json: string, text: TextConfig): Promise<Tokenize> {
  const { contextLength, vocabSize } = text;
  const settings = tokenizerSettings(json);
  const { model } = settings;
  const { Tokenizer } = await import("@huggingface/tokenizers");
  const tokenizer = guarded(
    () => new Tokenizer(settings, { unk_token: "unk_token" in model ? model.unk_token : null }),
  );
  const clean = model.type === "BPE" && model.end_of_word_suffix === "</w>" ? cleanText : (text: string) => text;
  const padding = settings.padId ?? text.padTokenId ?? 0;
  const longest = Math.max(16_384, 64 * contextLength);
  const known = new Map<string, number[]>();
  return (words) => {
    const cached = known.get(words);
    if (cached !== undefined) return cached;
    const read = shortened(clean(words.slice(0, 16 * longest)), longest);
    const ids: (number | undefined)[] = guarded(() => Array.from(tokenizer.encode(read).ids));
    if (ids.length === 0) throw badInput(`the tokenizer makes no tokens of "${printable(words)}"`);
    const cut = ids.length <= contextLength ? ids : [...ids.slice(0, contextLength - 1), ids[ids.length - 1]];
    while (text.pooling === "last" && cut.length < contextLength) cut.push(padding);
    if (!cut.every((id): id is number => id !== undefined && id >= 0 && id < vocabSize)) {
      throw badInput(
        `tokenizer.json gives ids [${cut}] for "${printable(words)}"; the model's vocabulary has ${vocabSize} entries`,
      );
    }
    if (known.size < 4096 && words.length <= 1024) known.set(words, cut);
    return cut;
  };
}

/** What the library throws on a tokenizer that is not whole is the file's fault. */
function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw badInput(`tokenizer.json cannot be used: ${printable((cause as Error).message)}`, cause);
  }
}

/**
 * The first of a text that is longer than any model reads: byte pairs take more than linear time in a word's length, and what is behind
 * the context's length is cut off anyway.
 */
function shortened(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const start = text.replace(/\s+/g, " ").slice(0, longest);
  const end = start.lastIndexOf(" ");
  return end > longest / 2 ? start.slice(0, end) : start;
}

export const unknownWord = "<|unknown|>";
export const startOfText = "<|startoftext|>";
export const endOfText = "<|endoftext|>";

/** An entry of `added_tokens`. */
export function specialToken(id: number, content: string): object {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
}

/** A tokenizer.json of whole lower-case words: unknown is 0, then the words, then start and end as the two largest ids. */
export function wordTokenizer(words: readonly string[]): { json: string; vocabSize: number; bos: number; eos: number } {
  const vocabulary = [unknownWord, ...words, startOfText, endOfText];
  const bos = vocabulary.length - 2;
  const eos = vocabulary.length - 1;
  const special = (id: number) => specialToken(id, vocabulary[id]);
  const token = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  const template = (id: number) => [vocabulary[id], { id: vocabulary[id], ids: [id], tokens: [vocabulary[id]] }];
  const json = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [special(0), special(bos), special(eos)],
    normalizer: { type: "Lowercase" },
    pre_tokenizer: { type: "Whitespace" },
    post_processor: {
      type: "TemplateProcessing",
      single: [token(startOfText), { Sequence: { id: "A", type_id: 0 } }, token(endOfText)],
      pair: [token(startOfText), { Sequence: { id: "A", type_id: 0 } }, token(endOfText)],
      special_tokens: Object.fromEntries([template(bos), template(eos)]),
    },
    decoder: null,
    model: {
      type: "WordLevel",
      vocab: Object.fromEntries(vocabulary.map((word, id) => [word, id])),
      unk_token: unknownWord,
    },
  };
  return { json: `${JSON.stringify(json, null, 2)}\n`, vocabSize: vocabulary.length, bos, eos };
}

/** The words of these texts as the word tokenizer splits them, each once, sorted. */
export function wordsOf(texts: Iterable<string>): string[] {
  const words = new Set<string>();
  for (const text of texts) for (const word of text.toLowerCase().match(/\w+|[^\w\s]+/g) ?? []) words.add(word);
  return [...words].sort();
}
