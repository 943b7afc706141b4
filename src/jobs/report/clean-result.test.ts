import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { cleanFixture } from "../../../test/clean-fixture.ts";
import { cleanReport } from "../../report/clean-report.ts";
import type { Scores } from "../../results/effect.ts";
import { rate } from "../../stats/rate.ts";
import { checkCleanResult } from "./clean-result.ts";

const stored = (change: object) => JSON.parse(JSON.stringify({ ...cleanFixture, ...change }));

test("a stored result is taken as it is, and one of 0.1.0 too, which says less", () => {
  expect(checkCleanResult(stored({}), "a.json")).toEqual(stored({}));
  const examples = cleanFixture.examples.map(({ inset: _, amplified: __, ...rest }) => rest);
  const { limits: _, ...verdict } = cleanFixture.verdict;
  const few = ({ ca, asr }: Scores) => ({ ca, asr });
  const [before, after] = [few(cleanFixture.before), few(cleanFixture.after)];
  const old = stored({ examples, verdict, opened: undefined, before, after });
  expect(checkCleanResult(old, "a.json")).toEqual(old);
});

test("one that 0.1.0 wrote is read and drawn; its verdict is judged again", async () => {
  const old = JSON.parse(await readFile(new URL("./clean-0.1.0.json", import.meta.url), "utf8"));
  expect([old.tbar, old.schema, old.verdict.verified]).toEqual(["0.1.0", undefined, undefined]);
  const { verdict, ...result } = checkCleanResult(old, "a.json");
  const { verdict: said, ...rest } = old;
  expect(result).toEqual(rest);
  expect(said).toMatchObject({ proven: true });
  expect(verdict).toMatchObject({ verified: false, proven: false }); // the upper bound of its ASR is above 2 %
  expect(cleanReport({ ...result, verdict })).toContain(`Made by tbar 0.1.0.`);
});

test("a verdict of 0.1.0, which says proven by values alone, is judged again", () => {
  const { verified: _, ...proven } = cleanFixture.verdict;
  expect(checkCleanResult(stored({ verdict: proven }), "a.json").verdict).toEqual({ ...proven, verified: true });
  const { difference, ...after } = cleanFixture.after;
  const open = { ...after, asr: rate(30, 1980) }; // 1.5 %, up to 2.2 %
  expect(checkCleanResult(stored({ verdict: proven, after: open }), "a.json").verdict).toMatchObject({
    verified: false,
    proven: false,
    reasons: [expect.stringMatching(/reaches 2\.15 %, above 2\.0 %/)],
  });
});

const [example] = cleanFixture.examples;
test.each([
  ["opened.data.data.leftOut", { opened: { data: { data: { name: "x", leftOut: 3, notes: [] } } } }],
  ["opened.models.0.assumptions", { opened: { models: [{ name: "x", preprocess: "", activation: "", ignored: [] }] } }],
  ["warnings.0", { warnings: [{}] }],
  ["recipe.lr", { recipe: { ...cleanFixture.recipe, lr: "1e-5" } }],
  ["defaults.reason", { defaults: { family: "ViT-B", settings: {} } }],
  ["verdict.limits.asr", { verdict: { ...cleanFixture.verdict, limits: { asr: "2 %", retention: 0.9 } } }],
  ["remaining.0.target", { remaining: [{ kind: "badnet" }] }],
  ["examples.0.inset.side", { examples: [{ ...example, inset: { ...example.inset, side: "6" } }] }],
  [
    "examples.0.inset.clean",
    { examples: [{ ...example, inset: { ...example.inset, clean: "https://example.org/a.png" } }] },
  ],
  ["after.triggeredAccuracy", { after: { ...cleanFixture.after, triggeredAccuracy: 0.9 } }],
])("%s of another kind is refused by name", (path, change) => {
  expect(() => checkCleanResult(stored(change), "a.json")).toThrow(path);
});

test("a result of another command is called by its name", () => {
  expect(() => checkCleanResult({ kind: "eval", ca: 1 }, "a.json")).toThrow(
    "a.json is a result of tbar eval; a report is drawn of tbar scan --json and tbar clean --json",
  );
});

test("a verdict that contradicts itself or its figures is refused", () => {
  const { verdict, after } = cleanFixture;
  expect(() => checkCleanResult(stored({ verdict: { ...verdict, proven: false } }), "a.json")).toThrow(
    "verdict.verified is true, and verdict.proven, which is the same, false",
  );
  const { difference, ...open } = { ...after, asr: rate(30, 1980) };
  expect(() => checkCleanResult(stored({ after: open }), "a.json")).toThrow(
    /verdict\.verified is true, and ASR on test images/,
  );
});

const { plain } = cleanFixture.variants;
const { ca } = plain.against!;
test.each([
  ["against.method is itself, which is none of the others", { method: "itself" }],
  ["against.method is plain, which is none of the others", { method: "plain" }],
  ["against.ca is 0, and its rates differ by -0.359", { ca: { ...ca, value: 0 } }],
  ["against.ca has the interval [0,0]", { ca: { ...ca, interval: [0, 0] } }],
  ["against.ca says that [1,1] of 2000 images differ", { ca: { ...ca, alone: [1, 1] } }],
  ["against.asr is of 3 images", { asr: { ...plain.against!.asr, n: 3 } }],
])("differences that are not those of their rates are refused: %s", (why, change) => {
  const variants = { ...cleanFixture.variants, plain: { ...plain, against: { ...plain.against, ...change } } };
  expect(() => checkCleanResult(stored({ variants }), "a.json")).toThrow(why);
});
