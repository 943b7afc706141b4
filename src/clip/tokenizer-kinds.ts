/** What tokenizer.json may say: the settings that the tokenizers of CLIP and SigLIP have, and no others. */
import { z } from "zod";
import { isRecord, type JsonLimits } from "../files/json.ts";
import { printable } from "../tensor/printable.ts";

/** Gemma's, which SigLIP 2 has, is the largest: 34 MB, 256,000 tokens, 580,000 merges. */
export const tokenizerLimits: JsonLimits = {
  bytes: 40 * 2 ** 20,
  depth: 16,
  values: 3_000_000,
  keys: 2 ** 19 + 2 ** 16,
};
export const most = {
  tokens: 2 ** 19,
  id: 2 ** 20,
  merges: 2 ** 20,
  addedTokens: 4096,
  tokenLength: 256,
  pieces: 2 ** 21,
  charsmap: 2 ** 20,
};

const clipWords = "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";
/** How CLIP's texts fall into words (github.com/openai/CLIP, simple_tokenizer.py, as transformers writes it). */
export const clipPattern = `<\\|startoftext\\|>|<\\|endoftext\\|>|${clipWords}`;
const knownPatterns: readonly string[] = [clipPattern, clipWords, "\\s+", " {2,}"];

/** One class of escaped or bare punctuation, which SigLIP takes out of its texts: whatever it lists, it is matched in one step. */
const punctuationClass = /^\[(?:\\[!-/:-@[-`{-~]|[!-/:-@^-`{-~])+\]$/;
const isKnown = (pattern: string) =>
  knownPatterns.includes(pattern) || (pattern.length <= 80 && punctuationClass.test(pattern));

const flag = z.boolean().nullish();
const oneCharacter = z.string().refine((text) => [...text].length === 1, "is not one character");
const unknownPattern = ({ input }: { readonly input: unknown }) =>
  `the expression "${printable(String(input), 60)}" is unknown`;
const pattern = z.union([
  z.strictObject({ Regex: z.string().refine(isKnown, { error: unknownPattern }) }),
  z.strictObject({ String: z.string().min(1).max(16) }),
]);
const special = z.tuple([z.string().max(most.tokenLength), z.int().nonnegative()]);
const item = z.union([
  z.strictObject({ SpecialToken: z.looseObject({ id: z.string().max(most.tokenLength) }) }),
  z.strictObject({ Sequence: z.looseObject({ id: z.literal("A") }) }),
]);
/** The text once, with tokens around it. */
const template = z
  .array(item)
  .max(8)
  .refine((items) => items.filter((one) => "Sequence" in one).length === 1);

/** Kinds of settings by name, each with its fields. */
export type Kinds = Readonly<Record<string, Readonly<Record<string, z.ZodType>>>>;

export const normalizers: Kinds = {
  NFC: {},
  NFKC: {},
  Lowercase: {},
  Strip: { strip_left: flag, strip_right: flag },
  // no longer than what it replaces, so that a row of them cannot grow
  Replace: { pattern, content: z.union([z.literal(""), oneCharacter]) },
  Prepend: { prepend: oneCharacter },
  Precompiled: { precompiled_charsmap: z.string().max(most.charsmap).nullable() },
};
export const preTokenizers: Kinds = {
  Split: { pattern, behavior: z.enum(["Removed", "Isolated", "MergedWithPrevious"]), invert: flag },
  ByteLevel: { add_prefix_space: flag, trim_offsets: flag, use_regex: flag },
  Whitespace: {},
  WhitespaceSplit: {},
  Metaspace: {
    replacement: oneCharacter,
    prepend_scheme: z.enum(["always", "first", "never"]).optional(),
    add_prefix_space: z.literal(true).optional(),
    split: flag,
  },
};
export const postProcessors: Kinds = {
  RobertaProcessing: { sep: special, cls: special, trim_offsets: flag, add_prefix_space: flag },
  BertProcessing: { sep: special, cls: special },
  TemplateProcessing: { single: template, pair: z.unknown().optional(), special_tokens: z.unknown().optional() },
  ByteLevel: { add_prefix_space: flag, trim_offsets: flag, use_regex: flag },
};

export const addedToken = z.strictObject({
  id: z.int().nonnegative().max(most.id),
  content: z.string().min(1).max(most.tokenLength),
  single_word: z.literal(false).optional(),
  lstrip: flag,
  rstrip: flag,
  normalized: flag,
  special: flag,
});
export const top = z.strictObject({
  version: z.string().optional(),
  truncation: z.unknown().optional(), // a text is cut at the model's own length
  padding: z.looseObject({ pad_id: z.int().nonnegative().max(most.id).optional() }).nullish(),
  added_tokens: z.array(addedToken).max(most.addedTokens).nullish(),
  normalizer: z.unknown().optional(),
  pre_tokenizer: z.unknown().optional(),
  post_processor: z.unknown().optional(),
  decoder: z.unknown().optional(), // ids are not turned into texts again
  model: z.looseObject({}),
});
const vocabulary = z.custom<Readonly<Record<string, unknown>>>(isRecord, "is no object");
const list = z.custom<readonly unknown[]>((value) => Array.isArray(value), "is no list");
export const models = {
  BPE: z.strictObject({
    type: z.literal("BPE").optional(), // older files leave it out
    dropout: z.literal(0).nullish(),
    unk_token: z.string().nullish(),
    continuing_subword_prefix: z.literal("").nullish(),
    end_of_word_suffix: z.enum(["", "</w>"]).nullish(),
    fuse_unk: flag,
    byte_fallback: flag,
    ignore_merges: flag,
    vocab: vocabulary,
    merges: list,
  }),
  WordLevel: z.strictObject({ type: z.literal("WordLevel"), vocab: vocabulary, unk_token: z.string() }),
  Unigram: z.strictObject({
    type: z.literal("Unigram"),
    unk_id: z.int().nonnegative(),
    vocab: list,
    byte_fallback: z.literal(false).nullish(),
  }),
};
