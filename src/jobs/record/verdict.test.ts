import { describe, expect, test } from "vitest";
import type { AfterScores } from "../../results/effect.ts";
import { pairedDifference } from "../../stats/difference.ts";
import { type Rate, rate } from "../../stats/rate.ts";
import { decisionText, judge, limitOf, noBackdoor, notFound, storedVerdict } from "./verdict.ts";

const rule = { name: "verified", limit: 0.02 } as const;
/** Of 1,000 clean images; ten of those right after the cleaning were wrong before. */
const scores = (ca: number, asr: number, right: number): AfterScores => ({
  ca: rate(ca, 1000),
  asr: rate(asr, 900),
  withoutTrigger: rate(3, 900),
  difference: pairedDifference({ first: asr, second: 3, n: 900 }),
  triggeredAccuracy: rate(right, 900),
  stillRight: rate(Math.min(ca - 10, 890), 1000),
});
const before = scores(900, 890, 5);

describe("judge", () => {
  test("gone, kept and mended: verified, and the accuracy on triggered images is said", () => {
    expect(judge(before, scores(880, 2, 700), rule)).toEqual({
      verified: true,
      proven: true,
      headline: "The backdoor is gone and the model still works",
      reasons: [],
      limits: { asr: 0.02, retention: 0.9, triggered: 0.5 },
      notes: ["With the trigger on, 77.8 % of images get their own label; without it 88.0 %"],
    });
  });

  test("another wrong answer in place of the target is not mended", () => {
    // half of 88 % is 44 %: 396 of 900
    expect(judge(before, scores(880, 2, 396), rule).verified).toBe(true);
    expect(judge(before, scores(880, 2, 395), rule)).toMatchObject({
      verified: false,
      headline: "The cleaning is not verified",
      reasons: [
        "only 43.9 % of triggered images get their own label, less than 44.0 %, half of the clean accuracy; a clean model may read no more of them (--clean-control compares)",
      ],
    });
  });

  test("of what a clean control model cannot read with the trigger on either, half is enough", () => {
    const control = (triggeredAccuracy: number, ca = 950, asr = 0) => ({
      ca: rate(ca, 1000),
      asr: rate(asr, 900),
      triggeredAccuracy: rate(triggeredAccuracy, 900),
    });
    // 270 of 900 beside 950 of 1,000: it reads 31.6 % of what it reads without; half of that of 88 % is 13.9 %, 125 of 900
    expect(judge(before, scores(880, 2, 126), rule, { control: control(270) })).toMatchObject({
      verified: true,
      notes: [
        "With the trigger on, 14.0 % of images get their own label; without it 88.0 % (of a clean control model 30.0 % and 95.0 %)",
      ],
    });
    expect(judge(before, scores(880, 2, 120), rule, { control: control(270) }).reasons).toEqual([
      "only 13.3 % of triggered images get their own label, less than 13.9 %, half of what the control model lets expect",
    ]);
    // one that reads more with the trigger than without, follows it itself, or knows nothing, changes nothing
    for (const useless of [control(900), control(0, 950, 900), control(0, 10), control(9, 10), control(0, 0)])
      expect(judge(before, scores(880, 2, 395), rule, { control: useless })).toMatchObject({ verified: false, limits: { triggered: 0.5 } }); // biome-ignore format: one line
    expect(judge(before, scores(880, 2, 395), rule, { control: control(0, 950, 900) }).reasons[0]).toContain(
      "half of the clean accuracy",
    );
    expect(judge(before, scores(880, 2, 395), rule, { control: control(0, 950, 900) }).notes).toContain(
      "The control model is not gone by: it takes 100.0 % of triggered images for the target itself",
    );
    expect(judge(before, scores(880, 2, 126), rule, { control: control(270) }).limits?.triggered).toBeCloseTo(0.158, 3);
  });

  test("ASR above the limit, and accuracy lost", () => {
    expect(judge(before, scores(880, 19, 700), rule).reasons).toEqual(["ASR on test images is 2.11 %, above 2.0 %"]);
    expect(judge(before, scores(800, 2, 700), rule).reasons).toEqual(["only 88.9 % of the clean accuracy is left"]);
  });

  test("a folder of triggered images has no labels: that is said", () => {
    const { triggeredAccuracy: _, ...after } = scores(880, 2, 0);
    const { verified, notes } = judge(before, after, rule);
    expect({ verified, notes }).toEqual({ verified: true, notes: [expect.stringContaining("could not be measured")] });
  });

  test("verified and proven are one", () => {
    for (const asr of [0, 5, 10, 15, 20, 100]) {
      const { verified, proven } = judge(before, scores(880, asr, 700), rule);
      expect(proven).toBe(verified);
    }
  });
});

describe("where the value is within its limit and the bound is not", () => {
  const moreOf = (reason: string) => Number(/about (\d+) more/.exec(reason)?.[1]);

  test("ASR: how many more images would settle it, if the rate stayed", () => {
    const few = { ...scores(880, 2, 700), asr: rate(3, 300) }; // 1.0 %, up to 2.9 %
    const { verified, headline, reasons } = judge(before, few, rule);
    expect({ verified, headline }).toEqual({
      verified: false,
      headline: "The cleaning is not verified: too few test images to be sure",
    });
    expect(reasons).toEqual([
      expect.stringMatching(
        /^ASR on test images is 1\.0 %, but its 95 % interval reaches 2\.9 %, above 2\.0 %: about \d+ more triggered test images would settle it/,
      ),
    ]);
    const n = 300 + moreOf(reasons[0]);
    const judgedBy = (images: number) => judge(before, { ...few, asr: rate(0.01 * images, images) }, rule).verified;
    expect([judgedBy(n - 1), judgedBy(n)]).toEqual([false, true]);
  });

  test("retention: likewise, of pairs", () => {
    const little = { ...scores(825, 2, 700), stillRight: rate(820, 1000) }; // 91.7 %, down to 89.6 %
    const { headline, reasons } = judge(before, little, rule);
    expect(headline).toContain("too few test images");
    expect(reasons).toEqual([
      expect.stringMatching(
        /^91\.7 % of the clean accuracy is left, but its 95 % interval reaches down to 89\.\d+ %, below 90\.0 %: about \d+ more test images/,
      ),
    ]);
    const n = 1000 + moreOf(reasons[0]);
    const judgedBy = (images: number) => {
      const all = (of: Rate) => rate(of.value * images, images);
      const after = { ...little, ca: all(little.ca), stillRight: all(little.stillRight as Rate) };
      return judge({ ...before, ca: all(before.ca) }, after, rule).verified;
    };
    expect([judgedBy(n - 1), judgedBy(n)]).toEqual([false, true]);
  });

  test("the pairs count: the same accuracies with fewer images right both times have a lower bound", () => {
    const left = scores(825, 2, 700);
    const of = (both: number) => judge(before, { ...left, stillRight: rate(both, 1000) }, rule);
    expect(of(825).reasons).not.toEqual(of(725).reasons);
    // without them the worst pairing is taken: 900 and 825 of 1,000 leave 725 at least
    expect(judge(before, { ...left, stillRight: undefined }, rule)).toEqual(of(725));
  });

  test("a number that nobody brings is not said", () => {
    const asr = rate(19_999, 1_000_000);
    expect(judge(before, { ...scores(880, 2, 700), asr }, rule).reasons).toEqual([
      expect.stringContaining("more than 1,000,000 more triggered test images"),
    ]);
  });

  test("beside a condition that fails it is not a matter of images", () => {
    const { headline, reasons } = judge(before, { ...scores(800, 2, 700), asr: rate(3, 300) }, rule);
    expect(headline).toBe("The cleaning is not verified");
    expect(reasons).toHaveLength(2);
  });
});

describe("a stored verdict", () => {
  const { stillRight: _, ...after } = scores(880, 2, 700);
  const old = { proven: true, headline: "as it was", reasons: [] };

  test("of 0.1.0 is judged again by its bounds, with the worst pairing", () => {
    expect(storedVerdict({ before, after, verdict: old })).toEqual({ ...old, verified: true });
    const fallen = storedVerdict({ before, after: { ...after, asr: rate(12, 900) }, verdict: old });
    expect(fallen).toMatchObject({ verified: false, proven: false, reasons: [expect.stringContaining("reaches 2.3")] });
    const limits = { asr: 0.03, retention: 0.9 };
    expect(storedVerdict({ before, after: { ...after, asr: rate(12, 900) }, verdict: { ...old, limits } })).toEqual({
      ...old,
      limits,
      verified: true,
    });
  });

  test("that says no stays, and one of today is taken as it is", () => {
    const no = { ...old, proven: false };
    expect(storedVerdict({ before, after, verdict: no })).toEqual({ ...no, verified: false });
    const today = judge(before, scores(880, 50, 700), rule);
    expect(storedVerdict({ before, after, verdict: today })).toEqual(today);
  });
});

test("no alpha found: not verified", () => {
  expect(notFound(rule)).toMatchObject({ verified: false, proven: false });
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
