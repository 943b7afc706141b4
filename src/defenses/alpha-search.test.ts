import { describe, expect, test } from "vitest";
import type { Metric } from "../engine/scorer.ts";
import { random } from "../tensor/random.ts";
import { type Tensor, tensor, type Weights } from "../tensor/tensor.ts";
import { type Rule, ruleNamed, rules, searchAlpha } from "./alpha-search.ts";
import { bestRepair } from "./best-repair.ts";

/** "Weights" that hold alpha alone, and metrics whose rate is a function of it: image i counts while its quantile lies below. */
const at = (alpha: number): Weights => new Map([["alpha", tensor([], [alpha])]]);
function metricOf(size: number, curve: (alpha: number) => number): Metric & { encoded: number } {
  const quantiles = random(size, "quantiles").shuffle(Array.from({ length: size }, (_, i) => (i + 0.5) / size));
  return {
    size,
    encoded: 0,
    async hits(weights, from = 0, to = size) {
      this.encoded += to - from;
      const share = curve((weights.get("alpha") as Tensor).data[0]);
      return quantiles.slice(from, to).filter((q) => q < share).length;
    },
  };
}

const verify = { images: 1980, retention: 0.9 };
const falling = (middle: number) => (alpha: number) => 1 / (1 + (alpha / middle) ** 4);

describe("searchAlpha", () => {
  // ASR halves at 1 and is below 0.6 % (no more than 2 of 500) from alpha = 3.57; CA falls slowly
  const run = (rule?: Rule, start = 1, size = 500, kept = falling(20)) => {
    const clean = metricOf(size, (alpha) => 0.95 * kept(alpha));
    const triggered = metricOf(size, falling(1));
    return searchAlpha({ at, clean, triggered, verify, caBefore: 0.95, start, rule }).then((search) => ({
      search,
      clean,
      triggered,
    }));
  };

  test("verified: the smallest alpha with so few hits that 1,980 test images will verify it, within 10 %", async () => {
    const { search } = await run(undefined, 1, 500, falling(9));
    expect(search.satisfied).toBe(true);
    expect(search.best.asr.n).toBe(500);
    expect(search.best.asr.interval[1]).toBeLessThanOrEqual(0.02);
    // 1 of 500 holds in 98.8 % of draws, 2 in 95.9 %: curve < 1.5/500 from alpha = 4.27
    expect(search.best.alpha).toBeGreaterThan(4.2);
    expect(search.best.alpha).toBeLessThan(4.27 * 1.1);
    expect(search.doubts).toBeUndefined();
  });

  test("verified: beyond that alpha as far as CA stays what it is, to within half a point", async () => {
    const { search } = await run();
    const [smallest] = search.trials.filter(({ asr }) => asr.value <= 1 / 500 && asr.n === 500);
    const ca = (alpha: number) => 0.95 * falling(20)(alpha);
    expect(search.best.alpha).toBeGreaterThan(smallest.alpha);
    expect(search.best.ca.value).toBeGreaterThanOrEqual(smallest.ca.value - 0.005);
    expect(ca(1.42 * search.best.alpha)).toBeLessThan(ca(smallest.alpha) - 0.005); // the next one costs more
  });

  test("verified: where CA never falls, twice as far at most, and not where the trigger comes back", async () => {
    const flat = await run(undefined, 1, 500, () => 1);
    const [smallest] = flat.search.trials.filter(({ asr }) => asr.value <= 1 / 500 && asr.n === 500);
    expect(flat.search.best.alpha / smallest.alpha).toBeCloseTo(2, 6);
    const back = await searchAlpha({
      at,
      clean: metricOf(500, () => 0.95),
      triggered: metricOf(500, (alpha) => (alpha > 2.5 && alpha < 4.5 ? 0 : 0.5)),
      verify,
      caBefore: 0.95,
      start: 1,
    });
    expect([back.satisfied, back.best.asr.value]).toEqual([true, 0]);
    expect(back.best.alpha).toBeLessThan(4.5);
  });

  test("verified: also where CA falls by more, if ASR falls as much", async () => {
    const best = async (beyond: number) => {
      const clean = metricOf(2000, (alpha) => (alpha < 1.15 ? 0.95 : 0.942));
      const triggered = metricOf(2000, (alpha) => (alpha < 1 ? 0.5 : alpha < 1.15 ? 0.004 : beyond));
      return (await searchAlpha({ at, clean, triggered, verify, caBefore: 0.95, start: 1 })).best;
    };
    expect(await best(0.0005)).toMatchObject({ ca: { value: 0.942 }, asr: { value: 0.0005 } });
    expect(await best(0.003)).toMatchObject({ ca: { value: 0.95 }, asr: { value: 0.004 } });
  });

  test("verified: not where CA would come below its least share, or its bound would", async () => {
    // 0.9 of 0.95 is 0.855; CA falls by 0.3 points with each stride
    const near = (from: number) => {
      const clean = metricOf(2000, (alpha) => from - 0.003 * Math.log2(alpha / 3));
      return searchAlpha({ at, clean, triggered: metricOf(500, falling(1)), verify, caBefore: 0.95, start: 1 });
    };
    expect((await near(0.857)).best.ca.value).toBeGreaterThanOrEqual(0.855);
    const bounded = (await near(0.8725)).best; // the bound of 0.870 of 2,000 is 0.855
    expect(bounded.ca.interval[0]).toBeGreaterThanOrEqual(0.855);
    const roomy = await near(0.92);
    expect(roomy.best.alpha / (roomy.trials.find(({ asr }) => asr.value <= 1 / 500 && asr.n === 500)?.alpha as number)).toBeGreaterThan(1.4); // biome-ignore format: one line
  });

  test("agreement: the largest alpha that keeps 97 % of CA, far beyond the one that does away with the trigger", async () => {
    const { search } = await run({ name: "agreement", limit: 0.97 });
    // CA is 0.97 of CA before at alpha = 20 (1/0.97 - 1)^(1/4) = 8.39; ASR is 2 % at (49)^(1/4) = 2.65
    expect(search.satisfied).toBe(true);
    expect(search.best.alpha).toBeGreaterThan(8.39 / 1.15);
    expect(search.best.alpha).toBeLessThan(8.6);
    expect(search.best.ca.value / 0.95).toBeGreaterThanOrEqual(0.97);
    expect(search.margin).toBeGreaterThan(8.39 / 2.65 / 1.3);
    expect(search.margin).toBeLessThan((8.39 / 2.65) * 1.3);
  });

  test("agreement: where the trigger works still at 97 %, two more points of CA are given up", async () => {
    const clean = metricOf(1000, (alpha) => 1 - alpha / 100);
    const triggered = metricOf(500, (alpha) => (alpha < 4 ? 1 : 0.01));
    const input = { at, clean, triggered, verify, caBefore: 1, start: 1 };
    const { best, margin } = await searchAlpha({ ...input, rule: { name: "agreement", limit: 0.97 } });
    expect(best.alpha).toBeGreaterThan(4);
    expect(best.ca.value).toBeGreaterThanOrEqual(0.95);
    expect(margin).toBeGreaterThan(1);
    const alive = { ...input, triggered: metricOf(500, () => 0.9) };
    expect((await searchAlpha({ ...alive, rule: { name: "agreement", limit: 0.97 } })).margin).toBe(0);
  });

  test("finds the same alpha from far below and far above", async () => {
    const [low, high] = [await run(undefined, 0.01), await run(undefined, 200)];
    expect(low.search.best.alpha / high.search.best.alpha).toBeGreaterThan(0.9);
    expect(low.search.best.alpha / high.search.best.alpha).toBeLessThan(1.1);
  });

  test("looks at a fraction of what a grid of 21 alphas over all images would cost", async () => {
    const { clean, triggered } = await run();
    expect(clean.encoded + triggered.encoded).toBeLessThan((21 * 1000) / 4.5);
  });

  test("never asks for an image twice at one alpha, and reports how many were seen", async () => {
    const { search } = await run();
    for (const { asr } of search.trials) expect(asr.n % 64 === 0 || asr.n === 500).toBe(true);
    expect(search.trials.some(({ asr }) => asr.n === 64)).toBe(true);
  });

  test("an alpha that passes on a first look alone is not taken: the next one above that passes on all images is", async () => {
    // of 500 images the first 256 fall at once, six of the others only from alpha = 1.5 on: 1.2 %, not shown to be below 2 %
    const hits: Metric["hits"] = async (weights, from = 0, to = 500) => {
      const alpha = (weights.get("alpha") as Tensor).data[0];
      const stay = (i: number) => (i < 256 ? alpha < 0.9 : alpha < 0.9 || (i < 262 && alpha < 1.5));
      return Array.from({ length: to - from }, (_, i) => from + i).filter(stay).length;
    };
    const clean = metricOf(500, (alpha) => 1 - alpha / 50);
    const { best, satisfied } = await searchAlpha({
      at,
      clean,
      triggered: { size: 500, hits },
      verify,
      caBefore: 1,
      start: 1,
    });
    expect(satisfied).toBe(true);
    expect(best.alpha).toBeGreaterThanOrEqual(1.5);
    expect(best.alpha).toBeLessThan(1.5 * 1.1);
    expect(best.asr).toMatchObject({ value: 0, n: 500 });
  });

  test("an alpha is given up as soon as it cannot pass any more", async () => {
    // two hits of 500 are one too many, and after 128 images there are two: 1.6 %, which alone is not above 2 %
    const hits: Metric["hits"] = async (weights, from = 0, to = 500) => {
      const falls = (weights.get("alpha") as Tensor).data[0] > 1.9;
      return [10, 70].filter((i) => !falls && from <= i && i < to).length;
    };
    const clean = metricOf(500, () => 1);
    const search = await searchAlpha({ at, clean, triggered: { size: 500, hits }, verify, caBefore: 1, start: 1 });
    expect(search.trials[0]).toMatchObject({ alpha: 1, asr: { n: 128, value: 2 / 128 } });
    expect(search.best.alpha).toBeGreaterThan(1.9);
  });

  test("188 images cannot show 2 %: nothing satisfies, the nearest alpha is given", async () => {
    const { search } = await run(undefined, 1, 188);
    expect(search.satisfied).toBe(false);
    expect(search.best.asr.value).toBe(0);
  });

  test("an attack that never falls ends when CA has gone", async () => {
    const clean = metricOf(300, falling(2));
    const search = await searchAlpha({
      at,
      clean,
      triggered: metricOf(300, () => 0.9),
      verify,
      caBefore: 1,
      start: 1,
    });
    expect(search.satisfied).toBe(false);
    expect(Math.max(...search.trials.map(({ alpha }) => alpha))).toBeLessThanOrEqual(8);
  });

  test("rule (a): least ASR among alphas that keep 95 % of CA", async () => {
    const { search } = await run({ name: "retain", limit: 0.95 });
    expect(search.best.ca.value).toBeGreaterThanOrEqual(0.95 * 0.95);
    // CA is kept until 20 (1/0.95 - 1)^(1/4) = 9.58
    expect(search.best.alpha).toBeGreaterThan(9.58 / 1.2);
    expect(search.best.alpha).toBeLessThan(9.7);
  });

  test("rule (b): largest CA - ASR", async () => {
    const { search } = await run({ name: "difference" });
    const gain = (alpha: number) => 0.95 * falling(20)(alpha) - falling(1)(alpha);
    const best = Math.max(...Array.from({ length: 400 }, (_, i) => gain(0.05 * (i + 1))));
    expect(best - gain(search.best.alpha)).toBeLessThan(0.01);
  });

  test("rule (c): smallest alpha with ASR of at most 1 %", async () => {
    const { search } = await run({ name: "smallest", limit: 0.01 });
    // the curve is below 5.5/500 from alpha = 3.08 on
    expect(search.best.asr.value).toBeLessThanOrEqual(0.01);
    expect(search.best.alpha).toBeGreaterThan(3.05);
    expect(search.best.alpha).toBeLessThan(3.08 * 1.1);
  });
});

describe("few validation images, or little accuracy", () => {
  test("200 images without a hit are the most that there is: the share that holds is said", async () => {
    const clean = metricOf(200, () => 0.9);
    const search = await searchAlpha({
      at,
      clean,
      triggered: metricOf(200, falling(1)),
      verify,
      caBefore: 0.9,
      start: 1,
    });
    expect(search).toMatchObject({ satisfied: true, best: { asr: { value: 0, n: 200 } } });
    expect(search.doubts).toEqual([
      "So few images (200 of validation, 1980 of test) let a choice of alpha hold on test images in 93.4 % of cases",
    ]);
  });

  test("an alpha that leaves too little accuracy already on validation is said to", async () => {
    const clean = metricOf(500, (alpha) => (alpha < 3 ? 0.9 : 0.6));
    const search = await searchAlpha({
      at,
      clean,
      triggered: metricOf(500, falling(1)),
      verify,
      caBefore: 0.9,
      start: 1,
    });
    // 60 % of 500 is at most 64.2 %, and that of 90 % 71.3 %
    expect(search.doubts).toEqual([expect.stringMatching(/no more than 71\.\d % of the clean accuracy is left/)]);
  });

  test("where the margin brings accuracy near its least share, the alpha with just what 19 of 20 need is taken", async () => {
    // one hit of 500 from alpha = 4.27 on, two from 3.76 on; accuracy falls between them
    const run = (left: number) =>
      searchAlpha({
        at,
        clean: metricOf(500, (alpha) => (alpha < 4.1 ? 0.9 : left - alpha / 400)),
        triggered: metricOf(500, falling(1)),
        verify,
        caBefore: 0.9,
        start: 1,
      });
    const [roomy, short] = [await run(0.89), await run(0.84)];
    expect([roomy.best.asr.value, short.best.asr.value]).toEqual([1 / 500, 2 / 500]);
    expect(short.best.alpha).toBeLessThan(4.1);
  });

  test("one image that goes on being hit is let be where CA would be lost, and the share that holds is said", async () => {
    // all but one of 300 give in at 1, that one at 8, where a third of CA is left
    const hits: Metric["hits"] = async (weights, from = 0, to = 300) => {
      const alpha = (weights.get("alpha") as Tensor).data[0];
      const stay = (i: number) => alpha < 1 || (i === 200 && alpha < 8);
      return Array.from({ length: to - from }, (_, i) => from + i).filter(stay).length;
    };
    const input = {
      at,
      triggered: { size: 300, hits },
      verify: { images: 1000, retention: 0.9 },
      caBefore: 0.9,
      start: 0.25,
    };
    const lost = await searchAlpha({ ...input, clean: metricOf(300, (alpha) => 0.9 * falling(6)(alpha)) });
    expect(lost.satisfied).toBe(true);
    expect(lost.best.asr).toMatchObject({ value: 1 / 300, n: 300 });
    expect(lost.best.alpha).toBeLessThan(4);
    expect(lost.doubts).toEqual([
      expect.stringMatching(
        /^1 of 300 validation images are still hit, .* holds on test images in 8\d(\.\d)? % of cases/,
      ),
    ]);
    const kept = await searchAlpha({ ...input, clean: metricOf(300, (alpha) => 0.9 - alpha / 1000) });
    expect([kept.best.asr.value, kept.doubts]).toEqual([0, undefined]);
    // of both the one without the risk, though it has less CA
    const poorer = await searchAlpha({ ...input, clean: metricOf(300, (alpha) => 0.85 - alpha / 1000) });
    expect(poorer.best.ca.value).toBeLessThan(lost.best.ca.value);
    expect(bestRepair([{ search: lost }, { search: poorer }]).search).toBe(poorer);
    expect(bestRepair([{ search: poorer }, { search: lost }]).search).toBe(poorer);
    // too few to show the limit at all: nothing is risked
    const few = { size: 180, hits: (weights: Weights, from = 0, to = 180) => hits(weights, from, to) };
    expect((await searchAlpha({ ...input, triggered: few, clean: metricOf(300, () => 0.5) })).satisfied).toBe(false);
  });
});

test("names of rules: today's, yesterday's, and none", () => {
  expect(rules.map((name) => ruleNamed(name).name)).toEqual(rules);
  expect(ruleNamed("proven")).toEqual({ name: "verified", limit: 0.02 });
  expect(ruleNamed("retain")).toEqual({ name: "retain", limit: 0.95 });
  expect(ruleNamed("smallest", 0.1)).toEqual({ name: "smallest", limit: 0.1 });
  expect(() => ruleNamed("difference", 0.1)).toThrow("--limit: the rule difference has none");
  expect(() => ruleNamed("verifed")).toThrow('unknown rule "verifed"; did you mean "verified"?');
});
