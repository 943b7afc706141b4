import { describe, expect, test } from "vitest";
import { configFromHf } from "../../checkpoint/config/hf-config.ts";
import { loadTokenizer, type Tokenize, wordTokenizer } from "../../clip/tokenizer.ts";
import { alike, checkClasses, checkTexts, unknownWords } from "./classes.ts";

const template = "a photo of a {}.";
const words = async (list: readonly string[]): Promise<Tokenize> => {
  const { json, vocabSize, bos, eos } = wordTokenizer(list);
  const { text } = configFromHf({ model_type: "clip", text_config: {}, vision_config: {} });
  return loadTokenizer(json, {
    ...text,
    contextLength: 16,
    vocabSize,
    bosTokenId: bos,
    eosTokenId: eos,
  } as typeof text);
};
/** Letters as tokens: every word is another. */
const letters: Tokenize = (text) => [...text.toLowerCase()].map((c) => c.codePointAt(0)!);

describe("classes that read alike", () => {
  test("words outside the vocabulary are one and the same", async () => {
    const tokenize = await words(["a", "photo", "of", ".", "circle", "square", "red"]);
    const classNames = ["circle", "tapir", "red square", "okapi", "square", "red tapir"];
    expect(alike(tokenize, classNames, template)).toEqual([["tapir", "okapi"]]);
    expect(unknownWords(tokenize, classNames)).toEqual(["tapir", "okapi"]);
    expect(checkClasses(tokenize, { classNames, template })).toEqual([
      expect.stringMatching(
        /cannot tell these classes apart.*"tapir", "okapi"; words that its vocabulary does not have: "tapir", "okapi"/,
      ),
    ]);
    expect(() => checkClasses(tokenize, { classNames, template, target: "okapi" })).toThrow("--classes FILE");
    expect(() => checkClasses(tokenize, { classNames, template, target: "circle" })).not.toThrow();
  });

  test("where most classes are one, accuracy means nothing", async () => {
    const tokenize = await words(["a", "photo", "of", ".", "circle"]);
    expect(() => checkClasses(tokenize, { classNames: ["tapir", "okapi", "circle"], template })).toThrow(
      "means nothing",
    );
  });

  test("a name that is there twice, in any tokenizer", () => {
    const classNames = ["crane", "heron", "stork", "ibis", "Crane"];
    expect(alike(letters, classNames, template)).toEqual([["crane", "Crane"]]);
    expect(checkClasses(letters, { classNames, template })[0]).not.toContain("vocabulary");
  });

  test("nothing is said where all differ; a tokenizer of letters knows every word", () => {
    expect(checkClasses(letters, { classNames: ["tapir", "okapi"], template, target: "okapi" })).toEqual([]);
    expect(unknownWords(letters, ["tapir"])).toEqual([]);
  });

  test("names that only the cut at the context length makes alike", () => {
    const short: Tokenize = (text) => letters(text).slice(0, 16);
    expect(alike(short, ["oaks", "oakwood", "elm"], template)).toEqual([["oaks", "oakwood"]]); // "a photo of a oak"
  });

  test("words of texts that a model does not know are named; letters know every word", async () => {
    const tokenize = await words(["a", "red", "circle"]);
    expect(checkTexts(tokenize, ["a red tapir", "an okapi"])).toEqual([
      expect.stringMatching(
        /does not have: "tapir", "an", "okapi"; texts that differ in them alone share one embedding/,
      ),
    ]);
    expect([checkTexts(tokenize, ["a red circle"]), checkTexts(letters, ["a red tapir"])]).toEqual([[], []]);
  });
});
