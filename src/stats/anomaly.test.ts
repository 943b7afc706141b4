import { describe, expect, it } from "vitest";
import { anomalyIndices, median, zScores } from "./anomaly.ts";

describe("anomaly", () => {
  it("median of an odd and of an even count", () => {
    expect([median([5, 1, 3]), median([4, 1, 3, 2])]).toEqual([3, 2.5]);
  });

  it("(median - value) / (1.4826 MAD): deviations of 1, 5, 6, 7, 8 from 6 are 5, 1, 0, 1, 2, their median 1", () => {
    const found = anomalyIndices([1, 5, 6, 7, 8]);
    [5, 1, 0, -1, -2].forEach((distance, i) => {
      expect(found[i]).toBeCloseTo(distance / 1.4826, 12);
    });
    expect(anomalyIndices([2, 2, 2, 1])).toEqual([0, 0, 0, 0]);
  });

  it("z: 1 and 3 lie one deviation about 2; equal values at 0", () => {
    expect(zScores([1, 3])).toEqual([-1, 1]);
    expect(zScores([4, 4, 4])).toEqual([0, 0, 0]);
  });
});
