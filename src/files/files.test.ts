import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openWeights } from "../checkpoint/formats/open-weights.ts";
import { readAtOnce, readJson, readSmallFile, sha256File } from "./files.ts";
import { refuseLfsPointer } from "./lfs.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-files-"));
});
afterAll(() => rm(folder, { recursive: true }));

test.each([
  ["nothing", 0],
  ["a small file", 1000],
  ["a large one, hashed in a thread of its own", 64 * 2 ** 20 + 77],
])("SHA-256 of %s", async (_, size) => {
  const bytes = Buffer.alloc(size, "weights ");
  await writeFile(join(folder, "file"), bytes);
  expect(await sha256File(join(folder, "file"))).toBe(createHash("sha256").update(bytes).digest("hex"));
});

test("of no file: bad input", async () => {
  await expect(sha256File(join(folder, "none"))).rejects.toMatchObject({ code: "bad-input" });
});

const pointer = (server: string) => `version https://${server}/spec/v1\noid sha256:${"5f".repeat(32)}\nsize 90210\n`;

test.each(["git-lfs.github.com", "hawser.github.com"])(
  "a Git LFS pointer (%s) is called one, whatever asks",
  async (server) => {
    const path = join(folder, "pointed.safetensors");
    await writeFile(path, pointer(server));
    const said = `${path} is a Git LFS pointer in place of 90,210 bytes: run git lfs pull in its repository`;
    for (const read of [openWeights, readJson, readSmallFile, sha256File]) {
      await expect(read(path)).rejects.toMatchObject({ code: "bad-input", message: said });
    }
    await writeFile(join(folder, "some.safetensors.index.json"), pointer(server));
    await expect(openWeights(join(folder, "some.safetensors.index.json"))).rejects.toThrow("is a Git LFS pointer");
  },
);

test("a pointer is one from its first bytes on, and no text that speaks of one", () => {
  const head = Buffer.from(pointer("git-lfs.github.com"));
  expect(() => refuseLfsPointer(head.subarray(0, 60), "a.png")).toThrow("a.png is a Git LFS pointer: run git lfs pull");
  expect(() => refuseLfsPointer(Buffer.concat([head, Buffer.alloc(5000)]), "a.tar")).toThrow("pointer");
  for (const text of [
    "",
    "version 2",
    "v",
    "The version https://git-lfs.github.com/spec/v1",
    "version https://example.org/",
  ]) {
    refuseLfsPointer(Buffer.from(text), "a.txt");
  }
});

test("at once a file of some size is read whole; all else is left to the usual way, and a pipe is not waited for", async () => {
  const at = (name: string) => join(folder, name);
  const bytes = Buffer.alloc(2 ** 22, "pixels ");
  await writeFile(at("small"), bytes.subarray(0, 5000));
  await writeFile(at("just"), bytes);
  await writeFile(at("large"), bytes);
  await truncate(at("large"), 2 ** 22 + 1);
  await writeFile(at("tiny"), "P5");
  await mkdir(at("inner"));
  execFileSync("mkfifo", [at("pipe")]);
  expect(readAtOnce(at("small"))?.equals(bytes.subarray(0, 5000))).toBe(true);
  expect(readAtOnce(at("just"))?.equals(bytes)).toBe(true);
  for (const name of ["large", "tiny", "inner", "pipe", "none"]) expect(readAtOnce(at(name)), name).toBeUndefined();
});
