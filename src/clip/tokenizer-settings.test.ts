/** A tokenizer is untrusted input: what no tokenizer of CLIP or SigLIP has is refused by name, soon, whatever its size. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TextConfig } from "../checkpoint/config/config.ts";
import { loadTokenizer } from "./tokenizer.ts";
import { readTokenizerJson } from "./tokenizer-files.ts";
import { clipPattern } from "./tokenizer-kinds.ts";

const text = { contextLength: 16, vocabSize: 100 } as TextConfig;
const ends = { "<|startoftext|>": 98, "<|endoftext|>": 99 };
const split = (pattern: object) => ({ type: "Split", pattern, behavior: "Removed", invert: true });
const bpe = {
  type: "BPE",
  unk_token: "<|endoftext|>",
  end_of_word_suffix: "</w>",
  vocab: { a: 0, "a</w>": 1, aa: 2, "aa</w>": 3, ...ends },
  merges: [
    ["a", "a"],
    ["a", "a</w>"],
  ],
};
const sound = {
  version: "1.0",
  added_tokens: [] as object[],
  normalizer: { type: "Lowercase" } as object | null,
  pre_tokenizer: {
    type: "Sequence",
    pretokenizers: [split({ Regex: clipPattern }), { type: "ByteLevel", add_prefix_space: false }],
  } as object,
  post_processor: { type: "RobertaProcessing", cls: ["<|startoftext|>", 98], sep: ["<|endoftext|>", 99] } as object,
  decoder: null,
  model: bpe as object,
};
const changed = (change: object) => JSON.stringify({ ...sound, ...change });
const load = (change: object) => loadTokenizer(changed(change), text);

test("the sound one is read", async () => {
  expect((await load({}))("A a")).toEqual([98, 1, 1, 99]);
});

const nested = (depth: number): object =>
  depth === 0 ? { type: "NFC" } : { type: "Sequence", normalizers: [nested(depth - 1)] };

describe("refused by name:", () => {
  test.each([
    [
      "an expression that backtracks",
      { pre_tokenizer: split({ Regex: "(x+x+)+y" }) },
      /pre_tokenizer \(Split\).*\(x\+x\+\)\+y/,
    ],
    [
      "one in a normalizer",
      { normalizer: { type: "Replace", pattern: { Regex: "(a|aa)+$" }, content: "" } },
      /normalizer \(Replace\)/,
    ],
    ["a class that is repeated", { pre_tokenizer: split({ Regex: "[!-/]+" }) }, /pre_tokenizer \(Split\)/],
    [
      "a replacement that grows",
      { normalizer: { type: "Replace", pattern: { String: "a" }, content: "aa" } },
      /content/,
    ],
    [
      "a normalizer of BERT",
      { normalizer: { type: "BertNormalizer" } },
      /normalizer is of type "BertNormalizer", which no tokenizer of CLIP or SigLIP has; known: NFC, /,
    ],
    ["a pre-tokenizer of others", { pre_tokenizer: { type: "FixedLength", length: 0 } }, /"FixedLength"/],
    ["sequences in each other", { normalizer: nested(5) }, /normalizer 1 is of type "Sequence"/],
    ["sequences 1,000 deep", { normalizer: nested(1000) }, /nested more than 16 deep/],
    ["nine in a row", { normalizer: { type: "Sequence", normalizers: Array(9).fill({ type: "NFC" }) } }, /normalizers/],
    ["an unknown setting", { normalizer: { type: "Strip", strip_left: true, strength: 7 } }, /strength/],
    ["an unknown setting at the top", { pickled: "x" }, /pickled/],
    [
      "the text twice",
      {
        post_processor: { type: "TemplateProcessing", single: [{ Sequence: { id: "A" } }, { Sequence: { id: "A" } }] },
      },
      /single/,
    ],
    [
      "a model of BERT",
      { model: { type: "WordPiece", vocab: {} } },
      /model is of type "WordPiece".*known: BPE, WordLevel, Unigram/,
    ],
    ["dropout", { model: { ...bpe, dropout: 0.1 } }, /dropout/],
    ["ids that are none", { model: { ...bpe, vocab: { a: 1e9 } } }, /"a" has an id that is none: 1000000000/],
    ["ids as texts", { model: { ...bpe, vocab: { a: "0" } } }, /"a" has an id that is none/],
    ["merges of three", { model: { ...bpe, merges: ["a a a"] } }, /merge 0 is no pair/],
    ["merges of nothing", { model: { ...bpe, merges: [null] } }, /merge 0 is no pair/],
    ["merges of two kinds", { model: { ...bpe, merges: ["a a", ["a", "a"]] } }, /merge 1 is no pair/],
    ["an unknown piece out of range", { model: { type: "Unigram", unk_id: 99, vocab: [["a", -1]] } }, /unk_id 99/],
    ["a score that is none", { model: { type: "Unigram", unk_id: 0, vocab: [["a", "b"]] } }, /entry 0/],
    ["a padding id that is none", { padding: { pad_id: "x" } }, /pad_id/],
    ["an added token without a text", { added_tokens: [{ id: 1, content: "" }] }, /content/],
    ["a token of 300 characters", { model: { ...bpe, vocab: { ["a".repeat(300)]: 1 } } }, /at most 256 characters/],
    [
      "a split that is merged",
      { pre_tokenizer: { ...split({ String: "a" }), behavior: "MergedWithPrevious" } },
      /MergedWithPrevious/,
    ],
  ])("%s", async (_, change, message) => {
    await expect(load(change)).rejects.toThrow(message);
    await expect(load(change)).rejects.toMatchObject({ code: "bad-input" });
  });
  test.each(["null", "[]", "7", "{}", '{"model":null}', '{"model":{"type":"BPE"}}'])("%s", async (json) => {
    await expect(loadTokenizer(json, text)).rejects.toMatchObject({ code: "bad-input" });
  });
});

/** Seconds of processor time. */
async function cost(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

describe("bounded", () => {
  test.each([
    [
      "tokens",
      () => JSON.stringify(sound).replace('"a":0', Array.from({ length: 600_000 }, (_, i) => `"t${i}":${i}`).join()),
    ],
    ["merges", () => changed({ model: { ...bpe, merges: Array(1_060_000).fill("a a") } })],
    [
      "pieces",
      () =>
        changed({
          model: { type: "Unigram", unk_id: 0, vocab: Array.from({ length: 530_000 }, (_, i) => [`t${i}`, -1]) },
        }),
    ],
    [
      "added tokens",
      () => changed({ added_tokens: Array.from({ length: 5_000 }, (_, i) => ({ id: i, content: `t${i}` })) }),
    ],
  ])("too many %s are refused within 5 s", async (_, made) => {
    const json = made();
    expect(
      await cost(() => expect(loadTokenizer(json, text)).rejects.toMatchObject({ code: "bad-input" })),
    ).toBeLessThan(5);
  });

  test.each([
    ["one word", "a".repeat(4_000_000)],
    ["words", "a ".repeat(2_000_000)],
    ["blanks", `${" ".repeat(4_000_000)}a`],
    ["letters that grow", "\ufdfa".repeat(1_000_000)],
    ["escapes", "\u001b[".repeat(1_000_000)],
    ["entities", "&amp;".repeat(800_000)],
  ])("a text of 4 MB of %s takes less than 5 s", async (_, long) => {
    const tokenize = await load({});
    let ids: number[] = [];
    expect(await cost(() => (ids = tokenize(long)))).toBeLessThan(5);
    expect(ids.length).toBeLessThanOrEqual(16);
    expect([ids[0], ids.at(-1)]).toEqual([98, 99]);
  });

  test("what is cut off changes nothing", async () => {
    const tokenize = await load({});
    const line = "aa a aaa ".repeat(4000);
    expect(tokenize(line)).toEqual(tokenize(line.slice(0, 900)));
  });
});

describe("merges in files", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tbar-merges-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("what unpacks to 100 MB is refused", async () => {
    const file = join(folder, "bpe_simple_vocab_16e6.txt.gz");
    await writeFile(file, gzipSync(Buffer.alloc(100_000_000, "\n")));
    expect(
      await cost(() => expect(readTokenizerJson(folder)).rejects.toThrow(/cannot unpack .* to at most 4194304 bytes/)),
    ).toBeLessThan(5);
    await rm(file);
  });
  test("5 MB of lines are refused", async () => {
    await writeFile(join(folder, "merges.txt"), "\n".repeat(5_000_000));
    await expect(readTokenizerJson(folder)).rejects.toThrow(/at most 4194304 are read/);
  });
});
