import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { abandoned, isAlive, letGo, temporaryName } from "./temporary.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-temporary-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The temporary name that another process made, which has ended since. */
async function nameOfTheDead(path: string): Promise<string> {
  const script = join(folder, "dead.ts");
  const module = join(import.meta.dirname, "temporary.ts");
  await writeFile(
    script,
    `import { temporaryName } from ${JSON.stringify(module)};\nconsole.log(temporaryName(process.argv[2], "tmp"));\n`,
  );
  const { stdout } = spawnSync("node_modules/.bin/jiti", [script, path], { encoding: "utf8" });
  return stdout.trim();
}

test("what a dead process left is found, what a living one uses is not", async () => {
  const path = join(folder, "model.safetensors");
  const mine = temporaryName(path, "tmp");
  const dead = await nameOfTheDead(path);
  for (const name of [mine, dead, temporaryName(path, "old"), temporaryName(join(folder, "model"), "tmp")])
    await writeFile(name, "");
  expect(await abandoned(path, "tmp")).toEqual([dead]);
  letGo(mine);
  expect(await abandoned(path, "tmp")).toEqual([dead, mine].toSorted());
});

test("names that only look like ours are never taken", async () => {
  const path = join(folder, "model");
  const dead = await nameOfTheDead(path);
  const others = [
    dead.replace(/.$/, (last) => (last === "0" ? "1" : "0")), // another checksum
    join(folder, basename(dead).replace(/tmp-\d+/, "tmp-1")), // another process
    join(folder, basename(dead).replace("tmp", "old")),
    join(folder, "model.tmp-99999999-abcdef"),
    join(folder, `other${basename(dead).slice("model".length)}`),
  ];
  for (const name of others) await writeFile(name, "theirs");
  for (const of of ["model", "other"].map((name) => join(folder, name)))
    for (const kind of ["tmp", "old", "part"] as const) expect(await abandoned(of, kind)).toEqual([]);
});

test("there is a process of our number, and none of the largest", () => {
  expect([isAlive(process.pid), isAlive(2 ** 22 + 1)]).toEqual([true, false]);
});
