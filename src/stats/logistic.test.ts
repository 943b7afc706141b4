import { describe, expect, it } from "vitest";
import { auroc } from "./auroc.ts";
import { fitLogistic, probabilityOf } from "./logistic.ts";

describe("logistic regression, p = 1 / (1 + exp(-(b + w x)))", () => {
  it("the minimum: the gradient of mean cross-entropy + ridge w^2 / 2 is zero there", () => {
    const x = [[0.1], [0.4], [0.35], [0.8], [0.6], [0.9]];
    const y = [0, 0, 1, 1, 0, 1];
    const fit = fitLogistic(x, y, 0.01);
    const off = x.map((row, i) => (probabilityOf(fit, row) - y[i]) / 6);
    expect(off.reduce((a, b) => a + b)).toBeCloseTo(0, 6);
    expect(off.reduce((sum, o, i) => sum + o * x[i][0], 0) + 0.01 * fit.weights[0]).toBeCloseTo(0, 6);
    expect(fit.weights[0]).toBeGreaterThan(0);
  });

  it("both kinds count alike, however many there are", () => {
    const fit = fitLogistic([[0], [0], [0], [0]], [0, 0, 0, 1], 0.1);
    expect(probabilityOf(fit, [0])).toBeCloseTo(0.5, 6);
  });

  it("no weight below zero: a statistic that falls among the backdoored says nothing", () => {
    const { weights } = fitLogistic([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.7]], [0, 0, 1, 1], 0.01); // biome-ignore format: one line
    expect(weights[0]).toBe(0);
    expect(weights[1]).toBeGreaterThan(0);
  });
});

describe("AUROC", () => {
  it("the share of pairs in order, ties half; by hand", () => {
    expect(auroc([3, 2], [1, 2, 0]).value).toBeCloseTo((3 + 2.5) / 6, 12);
    expect(auroc([1], [2]).value).toBe(0);
  });

  it("DeLong's interval, by hand: V10 = (1, 5/6), V01 = (1, 3/4, 1), variances over n", () => {
    const { value, interval } = auroc([3, 2], [1, 2, 0]);
    const v10 = ((1 - value) ** 2 + (5 / 6 - value) ** 2) / 1 / 2;
    const v01 = (2 * (1 - value) ** 2 + (0.75 - value) ** 2) / 2 / 3;
    expect(interval[0]).toBeCloseTo(value - 1.959963984540054 * Math.sqrt(v10 + v01), 12);
    expect(interval[1]).toBe(1);
  });

  it("scores with ties, by hand: (1.5 + 3.5 + 1.5 + 4) / 16", () => {
    expect(auroc([0.4, 0.8, 0.4, 0.9], [0.4, 0.2, 0.8, 0.5]).value).toBeCloseTo(10.5 / 16, 12);
  });
});
