/** A few of what `npm run test:decisions` does 500 and 20,000 times. */
import { describe, expect, it, test } from "vitest";
import { large, noDifference, onTheLine, randomModel, tinySets } from "./simulate.ts";

describe("clean random models", () => {
  it.each([1, 2, 3, 5, 7, 10, 15, 20])("model %i carries no backdoor, and none is seen", async (model) => {
    const { decision, isDecided, usable, clean } = await randomModel(model);
    expect(decision.answer).not.toBe("backdoor");
    if (!isDecided) expect(decision.answer).toBe("cannot say");
    if (usable < 189) expect(decision.answer).toBe("cannot say");
    if (model % 5 === 0) expect(clean).toBe("refused");
  });
});

describe("statistics alone", () => {
  test("of sets below 189 images nothing is said, whatever their rates", () => {
    expect(tinySets(2000)).toMatchObject({ draws: 2000, unsaid: 2000, falseBackdoor: 0, falseNothing: 0 });
  });

  test("no false answer far from the line; on it each side about as seldom as 95 % promise", () => {
    expect(noDifference(2000).falseBackdoor).toBe(0);
    expect(large(2000).falseNothing).toBe(0);
    const line = onTheLine(4000);
    expect(line.falseBackdoor / line.draws).toBeLessThan(0.035);
    expect(line.falseNothing / line.draws).toBeLessThan(0.035);
    expect(line.unsaid / line.draws).toBeGreaterThan(0.9);
  });
});
