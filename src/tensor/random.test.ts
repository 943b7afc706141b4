import { describe, expect, it } from "vitest";
import { random } from "./random.ts";

describe("random", () => {
  it("a path names a stream for good: results that were stored stay repeatable", () => {
    const r = random(7, "poison", "a.png");
    expect([r.uniform(), r.uniform()]).toEqual([0.3457390235271305, 0.4601437486708164]);
    expect(r.normal()).toBeCloseTo(-1.0169458903642745, 12); // Math.log and cos may differ in the last bit by machine
    expect(r.normal()).toBeCloseTo(0.20949521381071276, 12);
    expect([r.int(1000), r.shuffle([1, 2, 3, 4, 5])]).toEqual([177, [5, 1, 3, 4, 2]]);
  });

  it("other paths give other streams, and parts do not run into each other", () => {
    const first = (...path: (number | string)[]) => random(...path).uniform();
    expect(
      new Set([first(1), first(2), first("1"), first("ab", "c"), first("a", "bc"), first(1, 2), first(2 ** 40)]).size,
    ).toBe(7);
  });

  // 200,000 draws: the bounds are five standard errors of each moment
  it("fillUniform is U[0, 1): mean 1/2, variance 1/12", () => {
    const x = new Float32Array(200_000);
    random(3).fillUniform(x);
    const mean = x.reduce((a, b) => a + b) / x.length;
    expect(Math.abs(mean - 1 / 2)).toBeLessThan(0.0033);
    expect(Math.abs(x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length - 1 / 12)).toBeLessThan(0.0009);
    expect(x.every((v) => v >= 0 && v < 1)).toBe(true);
  });

  it("fillNormal is N(mean, deviation): moments 2 and 4, neighbours uncorrelated, an odd length filled", () => {
    const x = new Float32Array(200_001);
    random(3).fillNormal(x, 2, 3);
    const z = Float64Array.from(x, (v) => (v - 2) / 3);
    const moment = (f: (v: number, i: number) => number) => z.reduce((sum, v, i) => sum + f(v, i), 0) / z.length;
    expect(Math.abs(moment((v) => v))).toBeLessThan(0.0112);
    expect(Math.abs(moment((v) => v ** 2) - 1)).toBeLessThan(0.0159);
    expect(Math.abs(moment((v) => v ** 4) - 3)).toBeLessThan(0.11);
    expect(Math.abs(moment((v, i) => v * (z[i + 1] ?? 0)))).toBeLessThan(0.0112);
    expect(x[200_000]).not.toBe(0);
  });
});
