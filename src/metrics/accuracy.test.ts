import { expect, test } from "vitest";
import type { Scorer } from "../engine/scorer.ts";
import { chosen, metric } from "./accuracy.ts";

const scorer = (answers: readonly number[]): Scorer => ({
  size: answers.length,
  answers: async (_, from = 0, to = answers.length) => Int32Array.from(answers.slice(from, to)),
});

test("metric: hits are answers as expected, in any range", async () => {
  const hits = metric(scorer([3, 1, 3, 2]), [3, 3, 3, 2]);
  expect([await hits.hits(new Map()), await hits.hits(new Map(), 1, 3)]).toEqual([3, 1]);
});

test("chosen: some of a scorer's images, in the order asked for", async () => {
  const some = chosen(scorer([3, 1, 4, 1, 5]), [4, 0, 2]);
  expect([...(await some.answers(new Map()))]).toEqual([5, 3, 4]);
  expect([...(await some.answers(new Map(), 1, 2))]).toEqual([3]);
  expect(some.size).toBe(3);
});
