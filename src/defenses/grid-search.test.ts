import { expect, test } from "vitest";
import type { Metric } from "../engine/scorer.ts";
import { tensor, type Weights } from "../tensor/tensor.ts";
import type { Rule } from "./alpha-search.ts";
import { bestRepair } from "./best-repair.ts";
import { searchGrid } from "./grid-search.ts";

/** CA and ASR by knob, of 1,000 images each. */
const curve: Readonly<Record<number, readonly [ca: number, asr: number]>> = {
  1: [970, 900],
  2: [960, 4],
  4: [940, 2],
  8: [800, 0],
  16: [300, 0],
  32: [100, 0],
};
const knobOf = (weights: Weights) => weights.get("knob")?.data[0] as number;
const metric = (which: 0 | 1): Metric => ({ size: 1000, hits: async (weights) => curve[knobOf(weights)][which] });

async function search(rule: Rule, knobs = [1, 2, 4, 8, 16, 32]) {
  const trained: number[] = [];
  const found = await searchGrid({
    ...{ knobs, rule, clean: metric(0), triggered: metric(1), caBefore: 0.98 },
    verify: { images: 2000, retention: 0.9 },
    async at(knob) {
      trained.push(knob);
      return new Map([["knob", tensor([], [knob])]]);
    },
  });
  return { ...found, trained, chosen: found.search.best.alpha };
}

test.each<[Rule, number]>([
  [{ name: "verified", limit: 0.02 }, 2], // few enough hits, the most CA
  [{ name: "retain", limit: 0.95 }, 4], // CA >= 0.931, the least ASR
  [{ name: "smallest", limit: 0.002 }, 4],
  [{ name: "difference" }, 2],
  [{ name: "agreement", limit: 0.97 }, 2],
])("%j chooses knob %i, and gives its weights", async (rule, knob) => {
  const { chosen, weights, search: found, trained } = await search(rule);
  expect([chosen, knobOf(weights), found.satisfied]).toEqual([knob, knob, true]);
  // a knob that leaves less than half of CA is the last
  expect(trained).toEqual([1, 2, 4, 8, 16]);
  expect(found.trials.map(({ alpha }) => alpha)).toEqual(trained);
});

test("of several searches the rule's own measure decides: a model that was hardly changed has the highest CA and is no repair", async () => {
  const [timid, bold] = [await search({ name: "difference" }, [1]), await search({ name: "difference" }, [4])];
  expect(bestRepair([timid, bold])).toBe(bold);
  const [kept, lower] = [
    await search({ name: "retain", limit: 0.9 }, [2]),
    await search({ name: "retain", limit: 0.9 }, [4]),
  ];
  expect(bestRepair([kept, lower])).toBe(lower);
});

test("where none satisfies the rule the least ASR is taken, and said not to satisfy it", async () => {
  const { chosen, weights, search: found } = await search({ name: "smallest", limit: 0.001 }, [1, 2]);
  expect([chosen, knobOf(weights), found.satisfied]).toEqual([2, 2, false]);
});

test("of as much CA the larger knob; where CA would be lost, one that holds in fewer draws, and says so", async () => {
  const rates = (values: readonly (readonly [ca: number, asr: number])[]) =>
    searchGrid({
      knobs: values.map((_, i) => i),
      at: async (knob) => new Map([["knob", tensor([], [knob])]]),
      clean: { size: 300, hits: async (weights) => values[knobOf(weights)][0] },
      triggered: { size: 300, hits: async (weights) => values[knobOf(weights)][1] },
      caBefore: 1,
      verify: { images: 1000, retention: 0.9 },
    });
  expect((await rates([[290, 0], [290, 0], [280, 0]])).search.best.alpha).toBe(1); // biome-ignore format: a table
  const risked = await rates([[295, 40], [290, 1], [200, 0]]); // biome-ignore format: a table
  expect(risked.search.best.alpha).toBe(1);
  expect(knobOf(risked.weights)).toBe(1);
  expect(risked.search.doubts).toHaveLength(1);
  const lost = await rates([[295, 40], [290, 9], [200, 0]]); // biome-ignore format: a table
  expect(lost.search.best.alpha).toBe(2);
});
