/** The bootstrap against all that it samples from. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { random } from "../tensor/random.ts";
import { bootstrapMean as bootstrap, drawRate, type Sampled, type Source } from "./bootstrap.ts";

const bootstrapMean = (seeds: readonly Sampled[], draws?: number) => bootstrap(seeds, random(1, "bootstrap"), draws);

test("over seeds alone: the 2.5 and 97.5 % points of all 4^4 draws", () => {
  const values = [0.1, 0.35, 0.6, 0.95];
  const all = values
    .flatMap((a) => values.flatMap((b) => values.flatMap((c) => values.map((d) => (a + b + c + d) / 4))))
    .sort((a, b) => a - b);
  const { value, interval } = bootstrapMean(values.map((value) => ({ value })));
  expect(value).toBeCloseTo(0.5, 12);
  // neighbours among the 256 equally likely means: 4,000 draws place a point within 0.7 % of the ranks
  const near = (share: number) => [all[Math.floor((share - 0.008) * 256)], all[Math.ceil((share + 0.008) * 256)]];
  expect(interval[0]).toBeGreaterThanOrEqual(near(0.025)[0] - 1e-12);
  expect(interval[0]).toBeLessThanOrEqual(near(0.025)[1] + 1e-12);
  expect(interval[1]).toBeGreaterThanOrEqual(near(0.975)[0] - 1e-12);
  expect(interval[1]).toBeLessThanOrEqual(near(0.975)[1] + 1e-12);
});

/** The share of Beta(a, b) below x, by summing its density: slow and plain. */
function betaBelow(x: number, a: number, b: number): number {
  const steps = 200_000;
  let [below, all] = [0, 0];
  for (let i = 0; i < steps; i++) {
    const p = (i + 0.5) / steps;
    const density = Math.exp((a - 1) * Math.log(p) + (b - 1) * Math.log(1 - p));
    all += density;
    if (p < x) below += density;
  }
  return below / all;
}

test.each([
  { hits: 3, n: 20 },
  { hits: 12, n: 200 },
  { hits: 0, n: 100 },
])("within a seed: Jeffreys' posterior of $hits of $n", ({ hits, n }) => {
  const rate = { value: hits / n, n };
  const { interval } = bootstrapMean([{ value: rate.value, draw: (from) => drawRate(rate, from) }], 40_000);
  expect(betaBelow(interval[1], hits + 0.5, n - hits + 0.5)).toBeCloseTo(0.975, 2);
  if (hits > 0) expect(betaBelow(interval[0], hits + 0.5, n - hits + 0.5)).toBeCloseTo(0.025, 2);
  else expect(interval[0]).toBe(0);
});

test("draws of a rate have the posterior's mean and deviation", () => {
  const from = random(7, "rate");
  const draws = Array.from({ length: 20_000 }, () => drawRate({ value: 0.3, n: 50 }, from));
  const mean = draws.reduce((a, b) => a + b) / draws.length;
  const deviation = Math.sqrt(draws.reduce((sum, p) => sum + (p - mean) ** 2, 0) / draws.length);
  const [a, b] = [15.5, 35.5];
  expect(mean).toBeCloseTo(a / (a + b), 2);
  expect(deviation).toBeCloseTo(Math.sqrt((a * b) / ((a + b) ** 2 * (a + b + 1))), 2);
});

test("of rates it stays in [0, 1] and holds the mean, whatever the seeds", () => {
  const rate = fc
    .tuple(fc.integer({ min: 1, max: 3000 }), fc.double({ min: 0, max: 1, noNaN: true }))
    .map(([n, share]) => ({ n, value: Math.round(share * n) / n }));
  fc.assert(
    fc.property(fc.array(rate, { minLength: 1, maxLength: 5 }), (rates) => {
      const seeds = rates.map((rate) => ({ value: rate.value, draw: (from: Source) => drawRate(rate, from) }));
      const { value, interval } = bootstrapMean(seeds, 500);
      expect(interval[0]).toBeGreaterThanOrEqual(0);
      expect(interval[1]).toBeLessThanOrEqual(1);
      expect(interval[0]).toBeLessThanOrEqual(value);
      expect(interval[1]).toBeGreaterThanOrEqual(value);
    }),
    { numRuns: 100 },
  );
});

test("no hits leave a doubt, and more seeds less of it", () => {
  const none = { value: 0, draw: (from: Source) => drawRate({ value: 0, n: 1978 }, from) };
  const one = bootstrapMean([none]).interval[1];
  expect(one).toBeGreaterThan(0.0005);
  expect(bootstrapMean([none, none, none, none]).interval[1]).toBeLessThan(one);
});

test("the same seeds give the same interval", () => {
  const seeds = [0.2, 0.5, 0.4].map((value) => ({ value }));
  expect(bootstrapMean(seeds)).toEqual(bootstrapMean(seeds));
});
