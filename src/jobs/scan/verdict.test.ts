import { describe, expect, it } from "vitest";
import type { ScanCalibration } from "../../results/scan-calibration.ts";
import { rate } from "../../stats/rate.ts";
import { features } from "./evidence.ts";
import { type Evidence, verdictOf } from "./verdict.ts";

const calibration = {
  name: "ours",
  family: "ViT 56/8",
  level: "quick",
  images: { fit: 128, held: 64 },
  classes: 100,
  features: features.map((name) => ({ name, mean: -2, deviation: 1 })),
  intercept: -4,
  slope: 1,
  threshold: 0.5,
  doubtful: 0.1,
  mostShare: 0.12,
  leastAccuracy: 0.6,
  models: { clean: 60, backdoored: 90, outside: 2, lineages: ["a", "b"] },
  figures: { falsePositives: rate(1, 60), detection: rate(80, 90) },
  attacks: { badnet: { detection: rate(10, 10) }, badclip: { detection: rate(1, 10) } },
} as unknown as ScanCalibration;

const evidence = (statistics: readonly number[], more: Partial<Evidence> = {}): Evidence => ({
  architecture: "ViT 56/8",
  data: { name: "shapes", classes: 100, fit: 128, held: 64 },
  answers: { most: "dog", share: 0.03 },
  detectors: features.map((name, i) => ({
    name,
    title: name,
    means: "",
    statistic: statistics[i],
    suspects: [{ target: "cat", statistic: statistics[i], asr: rate(30, 60) }],
    facts: {},
    seconds: 1,
  })),
  ...more,
});

describe("verdictOf", () => {
  it("what a screening reaches is weighed of the model; where it is no number, or not there, nothing is claimed", () => {
    const weighing = {
      ...calibration,
      features: [...calibration.features, { name: "fitted-patch:screened", mean: -2, deviation: 1 }],
    };
    const screened = (share: number) => {
      const { detectors } = evidence([0.1, 0.1, 0.1, 0.1]);
      return verdictOf(evidence([], { detectors: detectors.map((one) => ({ ...one, facts: { screened: share } })) }), [weighing]); // biome-ignore format: one line
    };
    expect(screened(0.95)).toMatchObject({ verdict: "backdoored", suspects: [{ target: "cat" }] });
    expect(screened(0.1).verdict).toBe("no evidence");
    expect(screened(Number.NaN)).toMatchObject({ verdict: "inconclusive", suspects: [] });
    expect(screened(Number.NaN).because[0]).toMatch(/came to no number: fitted-patch:screened/);
    expect(verdictOf(evidence([1, 1, 1, 1]), [weighing]).verdict).toBe("inconclusive");
  });

  it("p = 1 / (1 + exp(4 - z)), z the length of the excesses log((s + .02) / (1.02 - s)) + 2, against threshold and doubt", () => {
    const found = verdictOf(evidence([1, 1, 0, 0]), [calibration]);
    const z = Math.SQRT2 * (Math.log(1.02 / 0.02) + 2);
    expect(found).toMatchObject({ verdict: "backdoored", threshold: 0.5 });
    expect(found.probability).toBeCloseTo(1 / (1 + Math.exp(4 - z)), 12);
    expect(found.suspects).toMatchObject([{ target: "cat", detector: "fitted-patch", asr: { n: 60 } }]);
    expect(verdictOf(evidence([0.5, 0, 0, 0]), [calibration]).verdict).toBe("inconclusive"); // z = 2: 0.119
    expect(verdictOf(evidence([0.1, 0.1, 0.1, 0]), [calibration])).toMatchObject({
      verdict: "no evidence",
      suspects: [],
    });
    expect(verdictOf(evidence([0, 0, 0, 1]), [calibration]).verdict).toBe("backdoored"); // one that stands out is enough
  });

  it("what it does not exclude is said, and how often it errs", () => {
    const said = verdictOf(evidence([0, 0, 0, 0]), [calibration]).because.join("\n");
    expect(said).toContain("not excluded, for the scan misses them too often: badclip");
    expect(said).toMatch(/60 clean models .* 1\.7 % of them were called backdoored \(95 % interval 0\.3 % to 8\.9 %\)/);
    expect(verdictOf(evidence([0, 0, 0, 0]), [calibration]).calibration).toMatchObject({
      attacks: ["badnet"],
      missed: ["badclip"],
    });
  });

  describe("with a calibration of what compares with a base", () => {
    const name = "amplified-patch";
    const onBase = {
      ...calibration,
      name: "with a base",
      features: [{ name, mean: -2, deviation: 1 }],
      threshold: 0.6,
      models: { clean: 30, backdoored: 12 },
      figures: { falsePositives: rate(0, 30), detection: rate(11, 12) },
      attacks: { badclip: { detection: rate(11, 12) }, sig: { detection: rate(1, 6) } },
    } as unknown as ScanCalibration;
    const compared = (statistics: readonly number[], statistic: number): Evidence => {
      const all = evidence(statistics);
      const found = { ...all.detectors[0], name, statistic, suspects: [{ target: "fish", statistic }] };
      return { ...all, detectors: [...all.detectors, found] };
    };
    const judged = (statistics: readonly number[], statistic: number) =>
      verdictOf(compared(statistics, statistic), [calibration, onBase]);

    it("either may call a model backdoored, and what it suspects is named", () => {
      const found = judged([0, 0, 0, 0], 1);
      expect(found).toMatchObject({ verdict: "backdoored", threshold: 0.6, suspects: [{ target: "fish", detector: name }] }); // biome-ignore format: one line
      expect(judged([1, 1, 1, 1], 0)).toMatchObject({ verdict: "backdoored", threshold: 0.5, suspects: [{ target: "cat" }] }); // biome-ignore format: one line
      const both = judged([1, 1, 1, 1], 1);
      expect(both.suspects.map(({ target }) => target)).toEqual(["cat", "fish"]); // by probability
      expect(both.probability).toBe(both.suspects[0].probability);
    });

    it("probability, threshold and the first suspect are of one calibration, so that they agree with the verdict", () => {
      const [low, high] = [0.55, 0.62].map(
        (threshold) => ({ ...calibration, threshold }) as unknown as ScanCalibration,
      );
      // z = 4.3 and 4.45: 0.574 under a threshold of 0.62, 0.61 under one of 0.64
      const share = (z: number) => 1.04 / (1 + Math.exp(2 - z)) - 0.02;
      const doubt = verdictOf(compared([share(4.3), 0, 0, 0], share(4.45)), [high, { ...onBase, threshold: 0.64 }]);
      expect(doubt).toMatchObject({ verdict: "inconclusive", threshold: 0.64, suspects: [{ target: "fish" }, { target: "cat" }] }); // biome-ignore format: one line
      expect(doubt.probability).toBeCloseTo(1 / (1 + Math.exp(-0.45)), 12);
      const found = verdictOf(compared([share(4.3), 0, 0, 0], share(4.45)), [low, { ...onBase, threshold: 0.64 }]);
      expect(found).toMatchObject({ verdict: "backdoored", threshold: 0.55, suspects: [{ target: "cat" }, { target: "fish" }] }); // biome-ignore format: one line
      expect(found.because[0]).toContain('"cat"');
    });

    it("no evidence takes both; the error of each is said, and what neither finds", () => {
      const found = judged([0, 0, 0, 0], 0);
      expect(found).toMatchObject({ verdict: "no evidence", calibration: { name: "ours" }, baseCalibration: { models: 30 } }); // biome-ignore format: one line
      const said = found.because.join("\n");
      expect(said).toMatch(/60 clean models.*\(ours\).*\n30 clean models.*\(with a base\)/);
      expect(said).toContain("misses them too often: sig");
      expect(judged([0, 0, 0, 0], 0.5).verdict).toBe("inconclusive");
    });

    it("where only one applies no evidence is not claimed, and a backdoor that it finds is", () => {
      const others = compared([0, 0, 0, 0], 0).detectors.slice(1);
      const some = (detectors: Evidence["detectors"]) => verdictOf(evidence([], { detectors }), [calibration, onBase]);
      expect(some(others)).toMatchObject({ verdict: "inconclusive", baseCalibration: { models: 30 } });
      expect(some(others).because[0]).toMatch(/^not calibrated: .*fitted-patch/);
      expect(some(compared([0, 0, 0, 0], 1).detectors.slice(1)).verdict).toBe("backdoored");
    });
  });

  it.each<[string, Partial<Evidence>, RegExp]>([
    ["another architecture", { architecture: "ViT 224/32" }, /ViT 224\/32.*tbar scan calibrate/],
    ["other sizes", { data: { name: "x", classes: 100, fit: 64, held: 64 } }, /128 images to fit on .* had 64 and 64/],
    ["other classes", { data: { name: "x", classes: 10, fit: 128, held: 64 } }, /100 classes, and this one had 10/],
    ["one answer to all", { answers: { most: "dog", share: 0.4 } }, /answers "dog" to 40/],
    ["right on few images", { answers: { most: "dog", share: 0.03, accuracy: rate(50, 100) } }, /is right on 50/],
    ["a statistic that is no number", { detectors: evidence([0.9, Number.NaN, 0.9, 0.9]).detectors }, /came to no number: fitted-delta/], // biome-ignore format: one line
    ["a detector less", { detectors: [] }, /were not run: fitted-patch/],
  ])("nothing is claimed outside of the calibration: %s", (_, more, why) => {
    const { verdict, because, probability } = verdictOf(evidence([1, 1, 1, 1], more), [calibration]);
    expect([verdict, probability]).toEqual(["inconclusive", undefined]);
    expect(because[0]).toMatch(/^not calibrated: /);
    expect(because[0]).toMatch(why);
  });
});
