/** Every form of image file that CLIP data comes in, decoded equal to Pillow to the byte; scripts/golden/image_formats.py made them. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { decodeImage } from "../../src/data/images/image.ts";

const folder = fileURLToPath(new URL("images/", import.meta.url));
const expected: Record<string, string> = JSON.parse(readFileSync(`${folder}expected.json`, "utf8"));

test.each(Object.entries(expected))("%s", async (name, sha256) => {
  const { width, height, data } = await decodeImage(folder + name);
  expect([width, height]).toEqual([33, 21]);
  expect(createHash("sha256").update(data).digest("hex")).toBe(sha256);
});
