/** A model's tokenizer from the files beside its weights: tokenizer.json, or the older pair of vocabulary and merges. */
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { z } from "zod";
import { isFile, parseAs, readJson, readSmallFile } from "../files/files.ts";
import { badInput } from "../tensor/error.ts";
import { printable } from "../tensor/printable.ts";
import { endOfText, specialToken, startOfText } from "./tokenizer.ts";
import { clipPattern, tokenizerLimits } from "./tokenizer-kinds.ts";

/** Files with merges, one a line after a first line of comment: transformers', OpenAI's. */
const mergeFiles = ["merges.txt", "bpe_simple_vocab_16e6.txt.gz"];
export const tokenizerFiles: readonly string[] = ["tokenizer.json", "vocab.json", ...mergeFiles];

const ids = z.record(z.string(), z.int().nonnegative());
/** OpenAI's list has 3.1 MiB unpacked. */
const mostMergeBytes = 4 * 2 ** 20;
/** OpenAI's list goes on after those that CLIP uses. */
const usedMerges = 49_152 - 256 - 2;

/** The text of tokenizer.json, or of one made from merges (and vocab.json where there is one); undefined if the folder has neither. */
export async function readTokenizerJson(folder: string): Promise<string | undefined> {
  const whole = join(folder, "tokenizer.json");
  if (await isFile(whole)) return (await readSmallFile(whole, tokenizerLimits.bytes)).toString("utf8");
  for (const name of mergeFiles) {
    const file = join(folder, name);
    if (!(await isFile(file))) continue;
    const bytes = await readSmallFile(file, mostMergeBytes);
    const text = name.endsWith(".gz") ? await unzip(file, bytes) : bytes;
    const merges = mergesOf(text.toString("utf8"), file);
    const vocab = join(folder, "vocab.json");
    const vocabulary = (await isFile(vocab)) ? parseAs(ids, await readJson(vocab), vocab) : vocabularyOf(merges);
    return clipTokenizerJson(vocabulary, merges);
  }
  return undefined;
}

function unzip(file: string, bytes: Buffer): Promise<Buffer> {
  return promisify(gunzip)(bytes, { maxOutputLength: mostMergeBytes }).catch((cause) => {
    throw badInput(`cannot unpack ${file} to at most ${mostMergeBytes} bytes: ${cause.message}`, cause);
  });
}

type Merge = readonly [string, string];

function mergesOf(text: string, file: string): Merge[] {
  const lines = text.split(/\r?\n/).slice(1, 1 + usedMerges);
  return lines
    .filter((line) => line !== "")
    .map((line) => {
      const [first, second, ...more] = line.split(" ");
      if (!first || !second || more.length > 0) throw badInput(`${file}: "${printable(line, 40)}" is no pair to merge`);
      return [first, second];
    });
}

/** OpenAI's order: the 256 bytes, the same at the end of a word, each merge's result, start, end. */
function vocabularyOf(merges: readonly Merge[]): Record<string, number> {
  const bytes = byteCharacters();
  const words = [...bytes, ...bytes.map((c) => `${c}</w>`), ...merges.map((pair) => pair.join(""))];
  return Object.fromEntries([...words, startOfText, endOfText].map((word, id) => [word, id]));
}

/** The printable bytes of Latin-1 as they are, then the others as U+0100, U+0101, ... (GPT-2's bytes_to_unicode). */
function byteCharacters(): string[] {
  const printable = (b: number) => (b > 32 && b < 127) || (b > 160 && b !== 173);
  const bytes = Array.from({ length: 256 }, (_, b) => b);
  const kept = bytes.filter(printable);
  return [...kept, ...bytes.filter((b) => !printable(b)).map((_, n) => 256 + n)].map((c) => String.fromCharCode(c));
}

/** CLIP's byte pairs in the form of tokenizer.json. */
function clipTokenizerJson(vocab: Readonly<Record<string, number>>, merges: readonly Merge[]): string {
  const special = [startOfText, endOfText].map((content) => {
    if (!Object.hasOwn(vocab, content)) throw badInput(`vocab.json has no ${content}`);
    return specialToken(vocab[content], content);
  });
  return JSON.stringify({
    version: "1.0",
    added_tokens: special,
    normalizer: { type: "Lowercase" },
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: clipPattern }, behavior: "Removed", invert: true },
        { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
      ],
    },
    post_processor: {
      type: "RobertaProcessing",
      cls: [startOfText, vocab[startOfText]],
      sep: [endOfText, vocab[endOfText]],
      trim_offsets: false,
      add_prefix_space: false,
    },
    decoder: null,
    model: { type: "BPE", unk_token: endOfText, end_of_word_suffix: "</w>", vocab, merges },
  });
}
