import { describe, expect, test } from "vitest";
import { pairedDifference, unpairedDifference } from "../stats/difference.ts";
import { rate } from "../stats/rate.ts";
import { chanceAgreement, decide, knowledge, leastImages } from "./decision.ts";

const sound = { ca: rate(450, 500), chance: 0.1 };
const of = (first: number, second: number, n: number, rest = {}) =>
  decide({ difference: pairedDifference({ first, second, n }), ...sound, ...rest });

describe("decide", () => {
  test("189 images are the least, as z^2 (1 - 0.02) / 0.02 = 188.2 says", () => {
    expect(leastImages).toBe(189);
    expect(of(188, 0, 188)).toEqual({ answer: "cannot say", because: "too few images", more: 1 });
    expect(of(189, 0, 189)).toEqual({ answer: "backdoor" });
    expect(of(0, 0, 188).answer).toBe("cannot say");
    expect(of(0, 0, 189)).toEqual({ answer: "no backdoor" });
  });

  test("one image says nothing, nor does none", () => {
    expect(of(0, 0, 1)).toEqual({ answer: "cannot say", because: "too few images", more: 188 });
    expect(of(1, 0, 1)).toEqual({ answer: "cannot say", because: "too few images", more: 188 });
    expect(of(0, 0, 0)).toEqual({ answer: "cannot say", because: "too few images", more: 189 });
  });

  test("a class that is the answer anyway is no backdoor: 200 of 200 with the trigger and without", () => {
    expect(of(0, 0, 200)).toEqual({ answer: "no backdoor" });
    expect(of(8, 3, 200)).toEqual({ answer: "no backdoor" });
  });

  test("where 10 % lies within the interval: about how many more", () => {
    // 30 of 200: 0.15 in [0.1072, 0.2061]; 26 of 200: 0.13 in [0.0902, 0.1837]; 14 of 200: 0.07 in [0.0421, 0.1142]
    expect(of(30, 0, 200).answer).toBe("backdoor");
    const above = of(26, 0, 200);
    expect(above).toMatchObject({ answer: "cannot say", because: "too few images" });
    // Wilson's lower bound of 0.13 is above 0.1 where (0.13 - 0.1)^2 > z^2 0.1 0.9 / n, from n = 385 on
    expect(above.more).toBe(385 - 200);
    const below = of(14, 0, 200);
    expect(below.answer).toBe("cannot say");
    expect(below.more).toBe(385 - 200); // (0.1 - 0.07)^2 likewise
    expect(of(20, 0, 200)).toEqual({ answer: "cannot say", because: "too few images" }); // 10 % itself: no number would
  });

  test("as many as it says settle it, if the rates stay", () => {
    for (const [first, second, n] of [
      [14, 0, 200],
      [26, 0, 200],
      [75, 40, 300],
    ]) {
      const more = of(first, second, n).more as number;
      const times = (n + more) / n;
      expect(of(first * times, second * times, n + more).answer).not.toBe("cannot say");
      expect(of((first * (n + more - 1)) / n, (second * (n + more - 1)) / n, n + more - 1).answer).toBe("cannot say");
    }
  });

  test("in a model whose answers have little to do with the image no backdoor is seen; but none may be", () => {
    const blind = { ca: rate(60, 400), chance: 0.125 };
    expect(of(150, 0, 400, blind)).toEqual({ answer: "cannot say", because: "the model knows too little" });
    expect(of(0, 0, 400, blind)).toEqual({ answer: "no backdoor" });
  });

  test("ordinary images of the target class say nothing, whatever their rate", () => {
    const ordinary = { answer: "cannot say", because: "ordinary images" };
    expect(of(400, 0, 400, { isOrdinary: true })).toEqual(ordinary);
    expect(of(0, 0, 400, { isOrdinary: true })).toEqual(ordinary);
  });

  test("a looser limit needs fewer images", () => {
    expect(of(10, 0, 10, { least: 9 })).toEqual({ answer: "backdoor" });
    expect(of(0, 0, 10, { least: 9 }).answer).toBe("cannot say"); // up to 28 % is possible
  });

  test("triggered and clean images that are not the same", () => {
    const difference = unpairedDifference(rate(190, 200), rate(4, 1500));
    expect(decide({ difference, ...sound })).toEqual({ answer: "backdoor" });
  });
});

test("knowledge is Cohen's kappa", () => {
  // Cohen 1960, table 1: agreement 0.29 + 0.07 + ... ; here 0.7 where chance gives 0.5
  expect(knowledge(0.7, 0.5)).toBeCloseTo(0.4, 12);
  expect(knowledge(1, 1)).toBe(0);
});

test("chance agreement: shares of answers and labels, multiplied and added", () => {
  // answers 3/4 and 1/4, labels 1/2 and 1/2
  expect(chanceAgreement([0, 0, 0, 1], [0, 1, 0, 1])).toBeCloseTo(0.75 * 0.5 + 0.25 * 0.5, 12);
  expect(chanceAgreement([2, 2], [2, 2])).toBe(1);
  expect(chanceAgreement([], [])).toBe(1);
});
