/** Two backdoors in one model, on a pico CLIP: the second attack keeps the first alive, and each is measured and removed by its number. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writePico } from "../../test/pico.ts";
import { tbar } from "../../test/terminal.ts";
import { readCheckpoint } from "../checkpoint/clip-folder.ts";
import { implantedTrigger, implantedTriggers, triggerMetadata } from "../jobs/inputs/model-facts.ts";

let folder: string;
let second: { code: number; out: string };
const words = (line: string) => line.split(" ").map((word) => word.replace(/^\.\//, `${folder}/`));
const world = "--data shapes:background --test 120 --threads 1";
const recipe = "--images 800 --epochs 6 --lr 0.005 --batch 16 --rate 0.25";
const carriedBy = async (name: string) => implantedTriggers((await readCheckpoint(join(folder, name))).metadata);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-two-"));
  await writePico(join(folder, "pico"));
  const attack = (options: string) => tbar(words(`attack ${options} ${world} ${recipe} --json`));
  await attack("blended:redraw=false,ratio=0.5 --model ./pico --target mint --out ./one");
  second = await attack("badnet:size=8,place=middle,redraw=false --model ./one --target sky --out ./two");
});
afterAll(() => rm(folder, { recursive: true }));

it("the second attack poisons other images with the first trigger too, and measures both", () => {
  const { carried, after, succeeded } = JSON.parse(second.out);
  expect(carried).toHaveLength(1);
  expect(carried[0]).toMatchObject({ trigger: { kind: "blended" }, target: "mint" });
  expect(carried[0].before.value).toBeGreaterThan(0.9);
  expect(carried[0].after.value).toBeGreaterThan(0.8);
  expect(after.asr.value).toBeGreaterThan(0.8);
  expect(second.code).toBe(succeeded ? 0 : 1);
});

it("the metadata describe both, in the order of the attacks", async () => {
  expect((await carriedBy("two")).map(({ trigger, target }) => [trigger.kind, target])).toEqual([
    ["blended", "mint"],
    ["badnet", "sky"],
  ]);
});

it.each([
  ["eval", ""],
  ["clean", "--out ./never"],
  ["trigger show", "--out ./never.png"],
])("%s asks which of them, and takes a number", async (command, options) => {
  const line = `${command} --model ./two --data shapes:background ${options}`.trim();
  const asked = await tbar(words(line));
  expect(asked.code).toBe(2);
  expect(asked.err).toContain(
    'the checkpoint carries 1 blended -> "mint", 2 badnet -> "sky"; say which with --trigger-index 1 to 2',
  );
  expect((await tbar(words(`${line} --trigger-index 3`))).err).toContain("--trigger-index 1 to 2");
});

it("eval --trigger-index measures that one", async () => {
  const measured = async (index: number) =>
    JSON.parse((await tbar(words(`eval --model ./two ${world} --trigger-index ${index} --json`))).out);
  const { carried, after } = JSON.parse(second.out);
  expect(await measured(1)).toMatchObject({ target: "mint", asr: carried[0].after, ca: after.ca });
  expect(await measured(2)).toMatchObject({ target: "sky", asr: after.asr, ca: after.ca });
});

it("clean removes one; the other stays in the metadata, to be cleaned next without a number", async () => {
  const sizes = "--forget 48 --clean 48 --validation 100 --batch 16 --epochs 2 --lr 0.001 --recovery 0 --method plain";
  const clean = `clean ${world} ${sizes} --rule smallest --limit 0.4`;
  const first = await tbar(words(`${clean} --model ./two --trigger-index 2 --out ./half`));
  expect(first.out).toContain('Still there: blended -> "mint"');
  expect((await carriedBy("half")).map(({ target }) => target)).toEqual(["mint"]);
  await tbar(words(`${clean} --model ./half --out ./whole`));
  expect(await carriedBy("whole")).toEqual([]);
});

it("a trigger whose class the data does not have would be lost: refused", async () => {
  const { code, err } = await tbar(words("attack badnet --model ./one --data shapes:shape --target circle --out ./no"));
  expect(code).toBe(2);
  expect(err).toContain('carries a trigger that leads to "mint", which is no class of this data');
});

it("one trigger is written as ever, and read without a number", () => {
  const one = { trigger: { kind: "badnet" }, target: "dog" };
  const two = { trigger: { kind: "blended" }, target: "cat" };
  expect(triggerMetadata([one])).toEqual({ "tbar.trigger": JSON.stringify(one) });
  expect(implantedTrigger(triggerMetadata([one]))).toEqual(one);
  expect(implantedTriggers(triggerMetadata([one, two]))).toEqual([one, two]);
  expect(implantedTrigger(triggerMetadata([one, two]), 2)).toEqual(two);
  expect(triggerMetadata([])).toEqual({});
  expect(implantedTrigger({})).toBeUndefined();
});
