/** 300 of the files that `npm run test:fuzz` makes by the thousand. */
import { beforeAll, describe, expect, test } from "vitest";
import { random } from "../../src/tensor/random.ts";
import { attempt } from "./attempt.ts";
import { type Seed, seeds, spoilt } from "./mutate.ts";
import { withFiles } from "./with-files.ts";

let sound: Seed[];
beforeAll(async () => {
  sound = await seeds();
});

test("every seed is read", async () => {
  for (const { what, files, parts } of sound) {
    expect(await withFiles(files(parts), attempt), what).toMatchObject({ outcome: "read" });
  }
});

describe("a spoilt file is refused or read, within 2 s", () => {
  test.each([0, 1, 2])("files %i00 on", async (hundred) => {
    const outcomes = { read: 0, refused: 0 };
    for (let i = 100 * hundred; i < 100 * (hundred + 1); i++) {
      const seed = sound[i % sound.length];
      const { outcome, message, seconds } = await withFiles(spoilt(seed, random("fuzz", i)), attempt);
      if (outcome === "crashed") throw new Error(`file ${i}, ${seed.what}: ${message}`);
      expect(seconds, `file ${i}, ${seed.what}`).toBeLessThanOrEqual(2);
      outcomes[outcome]++;
    }
    expect(outcomes.refused).toBeGreaterThan(30);
    expect(outcomes.read).toBeGreaterThan(0);
  });
});
