import { existsSync } from "node:fs";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeFolder } from "./folder.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tbar-folder-"));
});
afterAll(() => rm(root, { recursive: true }));

test("all that lead to a folder are made, and what is there stays", async () => {
  const deep = join(root, "a", "b", "c");
  await makeFolder(deep);
  await writeFile(join(deep, "kept"), "1");
  await Promise.all([makeFolder(deep), makeFolder(join(root, "a", "b", "d")), makeFolder(join(root, "a", "b", "d"))]);
  expect((await stat(join(root, "a", "b", "d"))).isDirectory()).toBe(true);
  expect((await stat(join(deep, "kept"))).size).toBe(1);
});

test("a file in the way is named", async () => {
  const file = join(root, "file");
  await writeFile(file, "");
  await expect(makeFolder(join(file, "below"))).rejects.toThrow(`${file} is no folder`);
});

test.skipIf(!existsSync("/proc/self"))("a file system that makes no folders is refused, at once", async () => {
  await expect(makeFolder("/proc/tbar/store")).rejects.toThrow("no folder can be made in /proc");
});
