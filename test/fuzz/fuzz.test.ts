/** 2,000 of the inputs that `npm run test:fuzz` reads by the hundred thousand. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { attempt } from "./attempt.ts";
import { input } from "./mutate.ts";
import { type Seed, seeds } from "./seeds.ts";

let sound: Seed[];
let root: string;
beforeAll(async () => {
  sound = await seeds();
  root = await mkdtemp(join(tmpdir(), "tbar-fuzz-"));
});
afterAll(() => rm(root, { recursive: true }));

test("every seed is read, or is one of the forms that are refused by name", async () => {
  const refused: string[] = [];
  for (const seed of sound) {
    const { outcome, message } = await attempt({ seed, files: seed.files(seed.parts) }, root);
    if (outcome !== "read") refused.push(`${seed.what}: ${outcome} ${message}`);
    if (outcome === "crashed") throw new Error(`${seed.what}: ${message}`);
  }
  expect(refused).toEqual([expect.stringMatching(/^pickle of before zips: refused .* is a pickle without an archive/)]);
});

test("input number i is always the same", async () => {
  const again = await seeds();
  for (const i of [0, 17, 1234]) expect(input(sound, 2, i).files).toEqual(input(again, 2, i).files);
});

test.each(Array.from({ length: 8 }, (_, part) => part))(
  "inputs %i of eight: a result or a TbarError, within 5 s and 300 MiB",
  async (part) => {
    const outcomes = { read: 0, refused: 0, crashed: 0 };
    for (let i = 250 * part; i < 250 * (part + 1); i++) {
      const one = input(sound, 0, i);
      const { outcome, message, seconds, growth } = await attempt(one, root);
      if (outcome === "crashed") throw new Error(`input ${i}, ${one.seed.what}: ${message}`);
      expect(seconds, `input ${i}, ${one.seed.what}`).toBeLessThanOrEqual(5);
      expect(growth, `input ${i}, ${one.seed.what}`).toBeLessThanOrEqual(300);
      outcomes[outcome]++;
    }
    expect(outcomes.refused).toBeGreaterThan(30);
    expect(outcomes.read).toBeGreaterThan(5);
  },
);
