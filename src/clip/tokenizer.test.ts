import { expect, test } from "vitest";
import type { TextConfig } from "../checkpoint/config/config.ts";
import { loadTokenizer, wordsOf, wordTokenizer } from "./tokenizer.ts";
import { tokenBatch } from "./tokens.ts";

const words = wordsOf(["a photo of a red circle", "A blue star."]);
const { json, vocabSize, bos, eos } = wordTokenizer(words);
const text: TextConfig = {
  contextLength: 10,
  vocabSize,
  width: 8,
  layers: 1,
  heads: 1,
  mlpWidth: 8,
  activation: "gelu",
  eps: 1e-5,
  pooling: "largest-id",
  bosTokenId: bos,
  eosTokenId: eos,
};

test("start and end are the two largest ids; unknown words are 0", async () => {
  expect([bos, eos]).toEqual([vocabSize - 2, vocabSize - 1]);
  const tokenize = await loadTokenizer(json, text);
  const id = (word: string) => 1 + words.indexOf(word);
  expect(tokenize("a Red zebra")).toEqual([bos, id("a"), id("red"), 0, eos]);
});

test("a long text is cut and keeps its end", async () => {
  const tokenize = await loadTokenizer(json, text);
  const ids = tokenize("a a a a a a a a a a a a a a");
  expect(ids).toHaveLength(10);
  expect(ids.at(-1)).toBe(eos);
});

test("a batch is as long as its longest text, rounded up to 8, time first", async () => {
  const tokenize = await loadTokenizer(json, text);
  const { tokens, ends, endRows } = tokenBatch([tokenize("a star"), tokenize("a")], text);
  expect(tokens.shape).toEqual([8, 2]);
  expect([...ends.data]).toEqual([3, 2]);
  expect([...endRows.data]).toEqual([6, 5]);
  expect(tokens.data[0]).toBe(bos);
  expect(tokens.data[2 * 2 + 1]).toBe(eos);
});

test("ids outside the vocabulary are refused", async () => {
  const tokenize = await loadTokenizer(json, { ...text, vocabSize: 4 });
  expect(() => tokenize("a star")).toThrow(/vocabulary has 4 entries/);
});
