/** Hostile files are refused with a reason, or read as the data that they are: never run, never a crash, never a hang. */
import { expect, test } from "vitest";
import { attempt } from "./attempt.ts";
import { cases } from "./cases.ts";
import { withFiles } from "./with-files.ts";

test("at least 60 cases, no two of one name", () => {
  const names = cases.map(({ kind, what }) => `${kind}: ${what}`);
  expect(new Set(names).size).toBe(cases.length);
  expect(cases.length).toBeGreaterThanOrEqual(60);
});

test.each(cases.map((one) => [one.kind, one.what, one] as const))("%s: %s", async (_, __, { files, refused, read }) => {
  const found = await withFiles(files, attempt);
  if (refused !== undefined) expect(found.message).toMatch(refused);
  else expect(found.message).toBe(read);
  expect(found.outcome).toBe(refused === undefined ? "read" : "refused");
  expect(found.seconds).toBeLessThanOrEqual(2);
  expect((Object.prototype as { polluted?: unknown }).polluted).toBeUndefined();
});
