/** Texts to ids by a tokenizer.json, and a word-level tokenizer.json for models that we pre-train ourselves. */

import type { TextConfig } from "../checkpoint/config.ts";
import { badInput } from "../tensor/error.ts";
import { cleanText } from "./clean-text.ts";

/** Ids of a text with start and end, cut to the context length with the end kept; for SigLIP padded to it. */
export type Tokenize = (text: string) => number[];

/**
 * A tokenizer from the text of a tokenizer.json. Before CLIP's own byte pairs a text is cleaned as OpenAI does it. Throws `bad-input` when
 * the JSON does not parse or does not fit the model.
 */
export async function loadTokenizer(json: string, text: TextConfig): Promise<Tokenize> {
  const { contextLength, vocabSize } = text;
  const { Tokenizer } = await import("@huggingface/tokenizers");
  let tokenizer: InstanceType<typeof Tokenizer>;
  let clean = (text: string) => text;
  let padding = text.padTokenId ?? 0;
  try {
    const parsed = JSON.parse(json);
    if (parsed.model?.type === "BPE" && parsed.model.end_of_word_suffix === "</w>") clean = cleanText;
    padding = parsed.padding?.pad_id ?? padding;
    tokenizer = new Tokenizer(parsed, { unk_token: parsed.model?.unk_token }); // the library reads a WordLevel's from here
  } catch (cause) {
    throw badInput(`tokenizer.json cannot be used: ${(cause as Error).message}`, cause);
  }
  const known = new Map<string, number[]>();
  return (words) => {
    const cached = known.get(words);
    if (cached !== undefined) return cached;
    const ids: (number | undefined)[] = Array.from(tokenizer.encode(clean(words)).ids);
    if (ids.length === 0) throw badInput(`the tokenizer makes no tokens of "${words}"`);
    const cut = ids.length <= contextLength ? ids : [...ids.slice(0, contextLength - 1), ids[ids.length - 1]];
    while (text.pooling === "last" && cut.length < contextLength) cut.push(padding);
    if (!cut.every((id): id is number => id !== undefined && id >= 0 && id < vocabSize)) {
      throw badInput(
        `tokenizer.json gives ids [${cut}] for "${words}"; the model's vocabulary has ${vocabSize} entries`,
      );
    }
    if (known.size < 4096) known.set(words, cut);
    return cut;
  };
}

export const unknownWord = "<|unknown|>";
export const startOfText = "<|startoftext|>";
export const endOfText = "<|endoftext|>";

/** A tokenizer.json of whole lower-case words: unknown is 0, then the words, then start and end as the two largest ids. */
export function wordTokenizer(words: readonly string[]): { json: string; vocabSize: number; bos: number; eos: number } {
  const vocabulary = [unknownWord, ...words, startOfText, endOfText];
  const bos = vocabulary.length - 2;
  const eos = vocabulary.length - 1;
  const special = (id: number) => ({
    id,
    content: vocabulary[id],
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  });
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
