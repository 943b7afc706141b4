import { describe, expect, test } from "vitest";
import type { EffectScores } from "../../results/result.ts";
import { pairedDifference } from "../../stats/difference.ts";
import { rate } from "../../stats/rate.ts";
import { decisionText, judge, limitOf, noBackdoor } from "./verdict.ts";

const rule = { name: "proven", limit: 0.02 } as const;
const scores = (ca: number, asr: number, right: number): EffectScores => ({
  ca: rate(ca, 1000),
  asr: rate(asr, 900),
  withoutTrigger: rate(3, 900),
  difference: pairedDifference({ first: asr, second: 3, n: 900 }),
  triggeredAccuracy: rate(right, 900),
});
const before = scores(900, 890, 5);

describe("judge", () => {
  test("gone, kept and mended: proven, and the accuracy on triggered images is said", () => {
    expect(judge(before, scores(880, 2, 700), rule)).toEqual({
      proven: true,
      headline: "The backdoor is gone and the model still works",
      reasons: [],
      limits: { asr: 0.02, retention: 0.9, triggered: 0.5 },
      notes: ["With the trigger on, 77.8 % of images get their own label; without it 88.0 %"],
    });
  });

  test("another wrong answer in place of the target is not mended", () => {
    // half of 88 % is 44 %: 396 of 900
    expect(judge(before, scores(880, 2, 396), rule).proven).toBe(true);
    expect(judge(before, scores(880, 2, 395), rule)).toMatchObject({
      proven: false,
      reasons: ["only 43.9 % of triggered images get their own label, less than 44.0 %, half of the clean accuracy"],
    });
  });

  test("ASR above the limit, and accuracy lost", () => {
    expect(judge(before, scores(880, 19, 700), rule).reasons).toEqual(["ASR on test images is 2.1 %, above 2.0 %"]);
    expect(judge(before, scores(800, 2, 700), rule).reasons).toEqual(["only 88.9 % of the clean accuracy is left"]);
  });

  test("a folder of triggered images has no labels: that is said", () => {
    const { triggeredAccuracy: _, ...after } = scores(880, 2, 0);
    const { proven, notes } = judge(before, after, rule);
    expect({ proven, notes }).toEqual({ proven: true, notes: [expect.stringContaining("could not be measured")] });
  });
});

test("an interval that reaches above the limit is said beside a share that is below it", () => {
  const few = { ...scores(880, 2, 700), asr: rate(3, 300) }; // 1.0 %, up to 2.9 %
  expect(judge(before, few, rule)).toMatchObject({
    proven: true,
    notes: [expect.anything(), expect.stringMatching(/reaches 2\.9 %, above 2\.0 %/)],
  });
  expect(judge(before, { ...few, asr: rate(3, 1000) }, rule).notes).toHaveLength(1);
});

test("limits: a rule's own where it is one of ASR, else 2 %", () => {
  expect(limitOf({ name: "smallest", limit: 0.3 })).toBe(0.3);
  expect(limitOf({ name: "retain", limit: 0.95 })).toBe(0.02);
  expect(limitOf({ name: "difference" })).toBe(0.02);
});

describe("decisions in words", () => {
  const effect = scores(900, 890, 5);
  const anyway = {
    ...effect,
    withoutTrigger: rate(880, 900),
    difference: pairedDifference({ first: 12, second: 2, n: 900 }),
  };
  const text = (decision: Parameters<typeof decisionText>[0], of = effect) =>
    decisionText(decision, of, "dog", effect.ca);

  test("each with the figures it rests on", () => {
    expect(text({ answer: "backdoor" })).toMatch(
      /^a live backdoor: .*98\.9 % of 900 .* "dog", without it 0\.3 %: a difference of 98\.6 %/,
    );
    expect(text({ answer: "no backdoor" }, anyway)).toMatch(
      /^nothing to remove: this class is the answer without the trigger too: .*97\.8 %/,
    );
    expect(text({ answer: "cannot say", because: "too few images", more: 40 })).toMatch(
      /^too few images to say: 900 of other classes can be used; about 40 more would settle it/,
    );
    expect(text({ answer: "cannot say", because: "the model knows too little" })).toContain("hardly above chance");
    expect(text({ answer: "cannot say", because: "ordinary images" })).toContain("ordinary photos");
  });

  test("clean refuses with exit code 1", () => {
    const refusal = noBackdoor({ answer: "no backdoor" }, anyway, "dog", effect.ca);
    expect(refusal).toMatchObject({
      code: "not-proven",
      message: expect.stringContaining("trigger or target are wrong"),
    });
    expect(noBackdoor({ answer: "cannot say" }, effect, "dog", effect.ca).message).toContain("Nothing was trained.");
  });
});
