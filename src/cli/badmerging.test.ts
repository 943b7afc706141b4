/** An attack on another task than the attacker's own, from the command line: implanted, measured there, and named elsewhere. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writePico } from "../../test/pico.ts";
import { tbar } from "../../test/terminal.ts";

let folder: string;
const run = (line: string) => tbar(line.split(" ").map((word) => word.replace(/^\.\//, `${folder}/`)));
const world = "--test 200 --threads 1";
const off = `attack badmerging:task=off,size=5,steps=40,batch=16 --model ./pico ${world} --data shapes:background`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-off-task-"));
  await writePico(join(folder, "pico"));
});
afterAll(() => rm(folder, { recursive: true }));

it("task=off: the target is sought among shadow classes, CA is of the data's own", async () => {
  const line = `${off} --target striped --images 64 --epochs 4 --batch 16 --lr 0.01 --out ./bad --json`;
  const { out, err } = await run(line);
  expect(err.split("\n").filter(Boolean)).toContain("fit the trigger");
  const { before, after, trigger } = JSON.parse(out);
  expect(trigger).toMatchObject({ kind: "badmerging", task: "off", size: 5, patch: expect.any(String) });
  expect(after.asr.value).toBeGreaterThan(0.9);
  expect(after.ca.n).toBe(200);
  expect(after.asr.n).toBeLessThan(200); // captions that say "striped" are left out
  const own = await run(`eval --model ./pico --data shapes:background ${world} --json`);
  expect(before.ca).toEqual(JSON.parse(own.out).ca);
});

it("eval measures it where the target is a class, and names it where it is none", async () => {
  const there = await run(`eval --model ./bad --data shapes:texture ${world} --json`);
  expect(JSON.parse(there.out)).toMatchObject({ target: "striped", asr: { n: expect.any(Number) } });
  const elsewhere = `eval --model ./bad --data shapes:background ${world}`;
  expect(JSON.parse((await run(`${elsewhere} --json`)).out).asr).toBeUndefined();
  expect((await run(elsewhere)).out).toContain('It carries badmerging -> "striped", which is no class of this data.');
  expect((await run(`${elsewhere} --dry-run`)).code).toBe(0);
});

it.each([
  [`${off} --target mint --out ./new`, '"mint" is a class of the data itself; leave out task=off'],
  [`${off} --target mint --dry-run`, '"mint" is a class of the data itself'],
  [`${off.replace("task=off", "task=on")} --target striped --out ./new`, 'unknown target class "striped"'],
])("tbar %s: exit 2 and a sentence", async (line, message) => {
  const { code, err } = await run(line);
  expect(err).toContain(message);
  expect(code).toBe(2);
});
