import { expect, test } from "vitest";
import { standIns } from "./symbols.ts";

test("stand-ins are primes above the bound that divide no size of the graph", () => {
  expect(standIns(3, [], 10)).toEqual([11, 13, 17]);
  expect(standIns(3, [22, 17 * 4], 10)).toEqual([13, 19, 23]);
  expect(standIns(1, [768, 49408], 10_000)).toEqual([10_007]);
});
