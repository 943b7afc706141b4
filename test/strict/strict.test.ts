/** 200 of what `npm run test:strict` does by the thousand: nothing in a checkpoint is passed over in silence. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { readCheckpoint } from "../../src/checkpoint/clip-folder.ts";
import { layouts, withModel } from "./layouts.ts";
import { fate, stranger } from "./strange.ts";

test.each(layouts)("$layout: without a stranger it is read", async (model) => {
  const { extras, ignored, parts } = await withModel(model, readCheckpoint);
  expect({ extras, ignored }).toEqual({ extras: [], ignored: [] });
  expect(parts.length).toBe(model.tensors.length);
});

test("a random tensor or option is refused, or said", async () => {
  await fc.assert(
    fc.asyncProperty(stranger, async (one) => {
      expect(await fate(one), `${one.kind} ${JSON.stringify(one.name)} in ${one.model.layout}`).not.toBe("passed over");
    }),
    { numRuns: 200, seed: 7 },
  );
});
