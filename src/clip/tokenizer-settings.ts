/**
 * The settings of tokenizer.json that the tokenizers of CLIP and SigLIP have. A tokenizer is untrusted input: all others are refused by
 * name, regular expressions are compared with a list and never compiled from the file, and sizes are bounded.
 */
import { z } from "zod";
import { parseAs } from "../files/files.ts";
import { type JsonLimits, parseJson } from "../files/json.ts";
import { badInput } from "../tensor/error.ts";
import { printable } from "../tensor/printable.ts";

/** Gemma's, which SigLIP 2 has, is the largest: 34 MB, 256,000 tokens, 580,000 merges. */
export const tokenizerLimits: JsonLimits = {
  bytes: 40 * 2 ** 20,
  depth: 16,
  values: 3_000_000,
  keys: 2 ** 19 + 2 ** 16,
};
const most = { tokens: 2 ** 19, id: 2 ** 20, merges: 2 ** 20, addedTokens: 4096, tokenLength: 256, pieces: 2 ** 21 };

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
const pattern = z.union([
  z.strictObject({
    Regex: z
      .string()
      .refine(isKnown, { error: ({ input }) => `the expression "${printable(String(input), 60)}" is unknown` }),
  }),
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

type Kinds = Readonly<Record<string, Readonly<Record<string, z.ZodType>>>>;

const normalizers: Kinds = {
  NFC: {},
  NFKC: {},
  Lowercase: {},
  Strip: { strip_left: flag, strip_right: flag },
  // no longer than what it replaces, so that a row of them cannot grow
  Replace: { pattern, content: z.union([z.literal(""), oneCharacter]) },
  Prepend: { prepend: oneCharacter },
  Precompiled: {
    precompiled_charsmap: z
      .string()
      .max(2 ** 20)
      .nullable(),
  },
};
const preTokenizers: Kinds = {
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
const postProcessors: Kinds = {
  RobertaProcessing: { sep: special, cls: special, trim_offsets: flag, add_prefix_space: flag },
  BertProcessing: { sep: special, cls: special },
  TemplateProcessing: { single: template, pair: z.unknown().optional(), special_tokens: z.unknown().optional() },
  ByteLevel: { add_prefix_space: flag, trim_offsets: flag, use_regex: flag },
};

const addedToken = z.strictObject({
  id: z.int().nonnegative().max(most.id),
  content: z.string().min(1).max(most.tokenLength),
  single_word: z.literal(false).optional(),
  lstrip: flag,
  rstrip: flag,
  normalized: flag,
  special: flag,
});
const top = z.strictObject({
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
const vocabulary = z.custom<Readonly<Record<string, unknown>>>((value) => isObject(value), "is no object");
const list = z.custom<readonly unknown[]>((value) => Array.isArray(value), "is no list");
const models = {
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

export interface TokenizerSettings {
  readonly added_tokens: readonly z.output<typeof addedToken>[];
  readonly normalizer: object | null;
  readonly pre_tokenizer: object | null;
  readonly post_processor: object | null;
  readonly decoder: null;
  readonly model: z.output<(typeof models)[keyof typeof models]> & { readonly type: keyof typeof models };
  readonly padId?: number;
}

/** The settings in the text of a tokenizer.json. Throws `bad-input` naming the first one that is not known. */
export function tokenizerSettings(json: string): TokenizerSettings {
  const file = "tokenizer.json";
  const { padding, ...given } = parseAs(top, parseJson(json, file, tokenizerLimits), file);
  const settings = {
    added_tokens: given.added_tokens ?? [],
    normalizer: part(given.normalizer, `${file}: normalizer`, normalizers, "normalizers"),
    pre_tokenizer: part(given.pre_tokenizer, `${file}: pre_tokenizer`, preTokenizers, "pretokenizers"),
    post_processor: part(given.post_processor, `${file}: post_processor`, postProcessors, "processors"),
    decoder: null,
    model: modelOf(given.model, `${file}: model`),
    ...(padding?.pad_id !== undefined && { padId: padding.pad_id }),
  };
  checkMerged(settings, file);
  return settings;
}

/** Null, one setting, or a sequence of at most eight. */
function part(value: unknown, what: string, kinds: Kinds, sequence: string): object | null {
  if (value === null || value === undefined) return null;
  const { type } = parseAs(z.looseObject({ type: z.string() }), value, what);
  if (type !== "Sequence") return single(value, what, kinds);
  const schema = z.strictObject({ type: z.string(), [sequence]: z.array(z.unknown()).max(8) });
  const items = parseAs(schema, value, what)[sequence] as unknown[];
  return { type, [sequence]: items.map((one, i) => single(one, `${what} ${i + 1}`, kinds)) };
}

function single(value: unknown, what: string, kinds: Kinds): object {
  const { type } = parseAs(z.looseObject({ type: z.string() }), value, what);
  const known = Object.keys(kinds);
  if (!known.includes(type)) throw unknown(what, type, known);
  return parseAs(z.strictObject({ type: z.string(), ...kinds[type] }), value, `${what} (${type})`);
}

function unknown(what: string, type: string, known: readonly string[]) {
  return badInput(
    `${what} is of type "${printable(type, 60)}", which no tokenizer of CLIP or SigLIP has; known: ${known.join(", ")}`,
  );
}

function modelOf(value: Readonly<Record<string, unknown>>, what: string): TokenizerSettings["model"] {
  const { type = Array.isArray(value.merges) ? "BPE" : "none" } = value;
  if (type === "BPE") {
    const model = parseAs(models.BPE, value, what);
    checkIds(model.vocab, what);
    checkMerges(model.merges, what);
    return { ...model, type };
  }
  if (type === "WordLevel") {
    const model = parseAs(models.WordLevel, value, what);
    checkIds(model.vocab, what);
    return model;
  }
  if (type === "Unigram") {
    const model = parseAs(models.Unigram, value, what);
    checkPieces(model.vocab, what);
    if (model.unk_id >= model.vocab.length) throw badInput(`${what}: unk_id ${model.unk_id} is outside its vocabulary`);
    return model;
  }
  throw unknown(what, String(type), Object.keys(models));
}

/** By hand: a schema would copy hundreds of thousands of entries. */
function checkIds(vocab: Readonly<Record<string, unknown>>, what: string): void {
  let count = 0;
  for (const token in vocab) {
    const id = vocab[token];
    if (++count > most.tokens) throw badInput(`${what}: its vocabulary has more than ${most.tokens} tokens`);
    checkToken(token, what);
    if (Number.isInteger(id) && (id as number) >= 0 && (id as number) < most.id) continue;
    throw badInput(`${what}: "${printable(token, 60)}" has an id that is none: ${printable(String(id), 60)}`);
  }
}

function checkMerges(merges: readonly unknown[], what: string): void {
  if (merges.length > most.merges) throw badInput(`${what}: more than ${most.merges} merges`);
  for (const [i, merge] of merges.entries()) {
    const pair = typeof merge === "string" ? merge.split(" ", 3) : merge;
    const isPair = Array.isArray(pair) && pair.length === 2 && pair.every((half) => typeof half === "string");
    if (!isPair || typeof merge !== typeof merges[0]) throw badInput(`${what}: merge ${i} is no pair of tokens`);
    for (const half of pair) checkToken(half, what);
  }
}

/** [piece, score] each. */
function checkPieces(pieces: readonly unknown[], what: string): void {
  if (pieces.length > most.tokens) throw badInput(`${what}: its vocabulary has more than ${most.tokens} tokens`);
  let characters = 0;
  for (const [i, piece] of pieces.entries()) {
    const isPiece = Array.isArray(piece) && piece.length === 2 && typeof piece[0] === "string";
    if (!isPiece || !Number.isFinite(piece[1]))
      throw badInput(`${what}: entry ${i} of its vocabulary is no [piece, score]`);
    checkToken(piece[0], what);
    characters += piece[0].length;
  }
  if (characters > most.pieces) throw badInput(`${what}: the pieces of its vocabulary have ${characters} characters`);
}

function checkToken(token: string, what: string): void {
  if (token.length <= most.tokenLength) return;
  throw badInput(
    `${what}: "${printable(token, 40)}" is no token of CLIP or SigLIP: at most ${most.tokenLength} characters`,
  );
}

/** Gemma splits after blanks, of which its normalizer leaves none; how pieces are merged with the one before is not computed. */
function checkMerged({ normalizer, pre_tokenizer }: TokenizerSettings, file: string): void {
  if (!JSON.stringify(pre_tokenizer).includes('"MergedWithPrevious"')) return;
  if (JSON.stringify(pre_tokenizer).includes('"String":" "') && JSON.stringify(normalizer).includes('"String":" "'))
    return;
  throw badInput(`${file}: a Split that is MergedWithPrevious is known only for blanks that the normalizer replaces`);
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
