import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { jobs } from "./jobs.ts";
import { kill } from "./killed.ts";

/** The whole of it, for every command and every operation: npm run test:kill. */
test.each([
  ["vector diff", 6],
  ["convert", 15],
  ["pull", 7],
])(
  "%s, killed before every %ith disk operation: nothing half-written, and the same command ends as one run does",
  async (name, lanes) => {
    const folder = await mkdtemp(join(tmpdir(), "tbar-kill-"));
    try {
      const found = await kill(jobs.find((job) => job.name === name)!, { folder, lanes });
      expect(found).toMatchObject({ halfWritten: [], notResumed: [] });
      expect(found.killed).toBe(Math.floor(found.operations / lanes));
      expect(found.killed).toBeGreaterThan(3);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
