/** Every accepted form of tokenizer.json against the tokenizers of Rust: scripts/golden/tokenizer_ids.py wrote the files and their ids. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { TextConfig } from "../../src/checkpoint/config/config.ts";
import { loadTokenizer } from "../../src/clip/tokenizer.ts";

interface Golden {
  readonly texts: readonly string[];
  readonly tokenizers: readonly { readonly name: string; readonly json: Json; readonly ids: readonly number[][] }[];
}
interface Json {
  readonly model: { readonly type?: string; readonly merges?: readonly (readonly string[])[] };
}

const { texts, tokenizers }: Golden = JSON.parse(
  readFileSync(new URL("files/tokenizers.json", import.meta.url), "utf8"),
);
const text = { contextLength: 77, vocabSize: 60_000 } as TextConfig;

/** Files of before 2024 have merges as texts, those of before 2021 no type. */
const forms: readonly (readonly [string, (json: Json) => Json])[] = [
  ["as it is written today", (json) => json],
  [
    "older",
    ({ model, ...rest }) => ({ ...rest, model: { ...model, ...(model.merges && { merges: joined(model.merges) }) } }),
  ],
  [
    "oldest",
    ({ model: { type, ...model }, ...rest }) => ({ ...rest, model: model.merges ? model : { type, ...model } }),
  ],
];
const joined = (merges: readonly (readonly string[])[]) => merges.map((pair) => pair.join(" ")) as never;

test.each(
  tokenizers.flatMap(({ name, ...one }) => forms.map(([form, made]) => [name, form, { ...one, made }] as const)),
)("%s, %s", async (_, __, { json, ids, made }) => {
  const tokenize = await loadTokenizer(JSON.stringify(made(json)), text);
  expect(texts.map(tokenize)).toEqual(ids);
});
