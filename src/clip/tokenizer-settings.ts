/**
 * The settings of tokenizer.json that the tokenizers of CLIP and SigLIP have. A tokenizer is untrusted input: all others are refused by
 * name, regular expressions are compared with a list and never compiled from the file, and sizes are bounded.
 */
import { z } from "zod";
import { parseAs } from "../files/files.ts";
import { parseJson } from "../files/json.ts";
import { badInput } from "../tensor/error.ts";
import { printable } from "../tensor/printable.ts";
import {
  type addedToken,
  type Kinds,
  models,
  most,
  normalizers,
  postProcessors,
  preTokenizers,
  tokenizerLimits,
  top,
} from "./tokenizer-kinds.ts";

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
