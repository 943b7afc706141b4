import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sha256File } from "./files.ts";

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
