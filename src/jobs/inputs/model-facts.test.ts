import { describe, expect, test } from "vitest";
import {
  backdoorsAfter,
  backdoorsBetween,
  backdoorsKey,
  backdoorWarning,
  type Implanted,
  triggerMetadata,
  vectorBackdoors,
} from "./model-facts.ts";

const one: Implanted = { trigger: { kind: "badnet", size: 5 }, target: "dog" };
const other: Implanted = { trigger: { kind: "badnet", size: 6 }, target: "dog" };

describe("backdoors of vectors", () => {
  test("TO - FROM implants what TO alone declares, and removes what FROM alone does", () => {
    expect(backdoorsBetween([], [one])).toEqual([{ ...one, adding: "implants" }]);
    expect(backdoorsBetween([one], [])).toEqual([{ ...one, adding: "removes" }]);
    expect(backdoorsBetween([one, other], [other])).toEqual([{ ...one, adding: "removes" }]);
    expect(backdoorsBetween([one], [one])).toEqual([]);
  });

  test("the sum declares what the vector brings; what it takes away stays declared until a cleaning shows it gone", () => {
    const implanting = backdoorsBetween([], [one]);
    expect(backdoorsAfter([], implanting, 1.5)).toEqual({ all: [one], brought: [one] });
    expect(backdoorsAfter([other], implanting, 1)).toEqual({ all: [other, one], brought: [one] });
    expect(backdoorsAfter([one], implanting, -1)).toEqual({ all: [one], brought: [] });
    expect(backdoorsAfter([one], implanting, 1)).toEqual({ all: [one], brought: [] });
    expect(backdoorsAfter([], implanting, 0)).toEqual({ all: [], brought: [] });
  });

  test("subtracting a vector that removes brings it back", () => {
    const removing = backdoorsBetween([one], []);
    expect(backdoorsAfter([], removing, -0.5).brought).toEqual([one]);
    expect(backdoorsAfter([], removing, 0.5).brought).toEqual([]);
  });

  test("are read from metadata, which a stranger wrote", () => {
    const all = backdoorsBetween([other], [one]);
    expect(vectorBackdoors({ [backdoorsKey]: JSON.stringify(all) })).toEqual(all);
    expect(vectorBackdoors({})).toEqual([]);
    for (const text of ["{", "[1]", '[{"trigger":{"kind":"badnet"},"target":"dog","adding":"hides"}]'])
      expect(() => vectorBackdoors({ [backdoorsKey]: text })).toThrow("tbar.backdoors");
  });
});

test("a declared backdoor is warned of, one that cannot be read too; none is none", () => {
  expect(backdoorWarning(triggerMetadata([one, other]))).toBe(
    'this checkpoint declares that it carries a backdoor: 1 badnet -> "dog", 2 badnet -> "dog"',
  );
  expect(backdoorWarning({ "tbar.trigger": "[]" })).toContain("not in words that can be read");
  expect(backdoorWarning({ format: "pt" })).toBeUndefined();
});
