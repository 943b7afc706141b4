import { expect, test } from "vitest";
import { rate } from "../stats/rate.ts";
import { finetuneResult } from "./finetune.ts";
import { readResult } from "./read.ts";

const result = {
  opened: {},
  kind: "finetune",
  schema: "tbar/finetune/2",
  tbar: "0.2.0",
  created: "2026-03-04T05:06:07.000Z",
  command: "tbar finetune",
  seed: 1,
  model: { path: "a", sha256: "0", layout: "hf", dtype: "F16", architecture: "ViT", parameters: 3 },
  data: "shapes",
  images: 4,
  recipe: { lr: 1e-3, epochs: 1, batch: 2, warmup: 0.1, weightDecay: 0, clip: 1, seed: 1 },
  before: rate(1, 4),
  after: rate(0, 0),
  seconds: 1,
  timings: [],
  machine: { processor: "", cores: 2, threads: 2, memoryGiB: 4, node: "v20", runtime: "" },
  later: "a field that this version does not know",
};
const read = (change: object = {}) => readResult(finetuneResult, JSON.parse(JSON.stringify({ ...result, ...change })), "a.json"); // biome-ignore format: one line

test("what was written is read: NaN where it was, fields in their order, unknown ones too", () => {
  expect(read()).toEqual(result);
  expect(Object.keys(read())).toEqual(Object.keys(result));
  expect(read().after.value).toBeNaN();
});

test("a result of before there were schemas is read as what it is", () => {
  const { schema: _, ...old } = result;
  expect(read({ schema: undefined })).toEqual(old);
});

test.each([
  [{ kind: "eval", schema: "tbar/eval/2" }, "a.json is a result of tbar eval; expected that of tbar finetune --json"],
  [{ kind: "eval", schema: undefined }, "a.json is a result of tbar eval; expected that of tbar finetune --json"],
  [
    { schema: "tbar/finetune/3", tbar: "0.9.0" },
    "a.json was written by tbar 0.9.0 as finetune/3; this tbar reads tbar/finetune/2: use that one",
  ],
  [
    { schema: undefined, tbar: "0.1.0", images: "many" },
    /^a\.json is no result of tbar finetune --json: images: .*\. It was written by tbar 0\.1\.0, before tbar\/finetune\/2; if that is why, read it with that one, or run the command again$/,
  ],
  [{ schema: "tbar/finetune/1", seed: null }, /seed: .*It was written by tbar 0\.2\.0, before tbar\/finetune\/2/],
  [{ images: "many" }, /^a\.json is no result of tbar finetune --json: images: [^.]*$/],
  [{ schema: "nonsense", tbar: 3 }, /^a\.json is no result of tbar finetune --json: schema: /],
  [{ kind: null }, /^a\.json is no result of tbar finetune --json: kind: /],
  [
    { before: { ...result.before, value: 0.3 } },
    "a.json does not fit together: before is 0.3, which no number of 4 images makes",
  ],
])("%j is refused", (change, message) => {
  // biome-ignore format: a table
  expect(() => read(change)).toThrow(message);
});

test.each([null, 3, "text", []])("%j is no result", (json) => {
  expect(() => readResult(finetuneResult, json, "a.json")).toThrow("a.json is no result of tbar finetune --json");
});
