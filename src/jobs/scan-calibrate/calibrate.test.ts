import { describe, expect, it } from "vitest";
import { features } from "../scan/evidence.ts";
import { calibrate, halves, type Known } from "./calibrate.ts";

/** A model whose detectors suspect "cat" with these statistics, and "dog" a little. */
function model(
  isBackdoored: boolean,
  lineage: string,
  statistics: readonly number[],
  more: Partial<Known> = {},
): Known {
  const detectors = features.map((name, i) => ({
    name,
    title: name,
    means: "",
    statistic: statistics[i],
    suspects: [
      { target: "cat", statistic: statistics[i] },
      { target: "dog", statistic: 0.02 },
    ],
    facts: {},
    seconds: 1,
  }));
  const answers = { most: "cat", share: 0.05 };
  return { isBackdoored, lineage, attack: "badnet", target: "cat", scan: { detectors, answers }, ...more };
}
const lineages = ["a", "b", "c", "d"];
const clean = lineages.flatMap((lineage) =>
  [0.1, 0.15, 0.2, 0.05].map((s) => model(false, lineage, [s, s, 2 * s, 0.1])),
);
const backdoored = lineages.flatMap((lineage) => [
  model(true, lineage, [0.9, 0.8, 0.9, 0.1]),
  model(true, lineage, [0.1, 0.2, 0.3, 0.9], { attack: "sig" }),
  model(true, lineage, [0.12, 0.1, 0.2, 0.1], { attack: "badclip" }),
  model(true, lineage, [1, 1, 1, 0.5], { target: "dog" }),
]);

describe("calibrate", () => {
  const made = calibrate([...clean, ...backdoored]);

  it("each half is judged by the other: no alarm, what stands out is found, what does not is not", () => {
    expect(made.figures.falsePositives).toMatchObject({ value: 0, n: 16 });
    expect(made.attacks.badnet.detection).toMatchObject({ value: 1, n: 8 });
    expect(made.attacks.sig.detection.value).toBe(1);
    expect(made.attacks.badclip.detection.value).toBe(0);
    expect(made.figures.detection.value).toBeCloseTo(12 / 16, 12);
    expect(made.figures.auroc.value).toBeGreaterThan(0.8);
    expect(made.figures.auroc.value).toBeLessThan(1);
  });

  it("the target counts among the detected alone: a third of them were aimed at another class", () => {
    expect(made.figures.target).toMatchObject({ n: 12 });
    expect(made.figures.target.value).toBeCloseTo(8 / 12, 12);
  });

  it("one more alarm on a clean model of one half is a false positive, by the thresholds of the other", () => {
    const odd = calibrate([...clean, model(false, "d", [0.9, 0.9, 0.9, 0.1]), ...backdoored]);
    expect(odd.figures.falsePositives.value).toBeCloseTo(1 / 17, 12);
    expect(odd.threshold).toBeGreaterThan(made.threshold);
  });

  it("models that answer one class to most images are left out, and counted", () => {
    const flat = model(false, "a", [1, 1, 1, 1]);
    const { models, figures } = calibrate([...clean, ...backdoored, { ...flat, scan: { ...flat.scan, answers: { most: "cat", share: 0.5 } } }]); // biome-ignore format: one line
    expect([models.outside, models.clean, figures.falsePositives.value]).toEqual([1, 16, 0]);
  });

  it("where too few are left since the others are no classifiers, that is said", () => {
    const flat = [...clean, ...backdoored].map((one) => ({ ...one, scan: { ...one.scan, answers: { most: "cat", share: 0.5 } } })); // biome-ignore format: one line
    expect(() => calibrate(flat)).toThrow(/0 lineages with too few: .*; 32 of the models are no classifiers/);
  });

  it("where every scan compared with a base, what that found is weighed too; what some scans lack is not", () => {
    const compared = (one: Known, statistic: number): Known => {
      const [first] = one.scan.detectors;
      const found = { ...first, name: "amplified-patch", statistic, suspects: [{ target: "cat", statistic }] };
      return { ...one, scan: { ...one.scan, detectors: [...one.scan.detectors, found] } };
    };
    const all = [...clean.map((one) => compared(one, 0.2)), ...backdoored.map((one) => compared(one, 0.95))];
    const { features: weighed, attacks, thresholds } = calibrate(all);
    expect(weighed.map(({ name }) => name)).toEqual([...features, "amplified-patch"]);
    expect(attacks.badclip.detection.value).toBe(1); // none without
    expect(thresholds["amplified-patch"]).toBeCloseTo(0.575, 12);
    expect(calibrate([...all, clean[0]]).features).toHaveLength(features.length);
    const alone = all.map((one) => ({ ...one, scan: { ...one.scan, detectors: one.scan.detectors.slice(-1) } }));
    expect(calibrate(alone).features.map(({ name }) => name)).toEqual(["amplified-patch"]);
    const none = all.map((one) => ({ ...one, scan: { ...one.scan, detectors: [] } }));
    expect(() => calibrate(none)).toThrow("none of these was run in every scan");
  });

  it("what a screening reaches is weighed where all scans have it: of the model, whichever class", () => {
    const screened = (one: Known, share: number): Known => {
      const [first, ...rest] = one.scan.detectors;
      return { ...one, scan: { ...one.scan, detectors: [{ ...first, facts: { screened: share } }, ...rest] } };
    };
    const all = [...clean.map((one, i) => screened(one, 0.2 + 0.02 * (i % 4))), ...backdoored.map((one) => screened(one, 0.9))]; // biome-ignore format: one line
    const weighing = calibrate(all);
    expect(weighing.features.map(({ name }) => name)).toEqual([...features, "fitted-patch:screened"]);
    expect(weighing.attacks.badclip.detection.value).toBe(1); // none without
    expect(Object.keys(weighing.thresholds)).toEqual([...features]);
    expect(weighing.figures.target.value).toBeCloseTo(0.75, 12); // the classes' order is the detectors' own
    expect(calibrate([...all, clean[0]]).features).toHaveLength(features.length);
  });

  it("lineages are never cut", () => {
    const [one, other] = halves([...clean, ...backdoored]);
    const names = (half: readonly Known[]) => [...new Set(half.map(({ lineage }) => lineage))];
    expect([names(one), names(other)]).toEqual([["a", "b"], ["c", "d"]]); // biome-ignore format: one line
    expect(() => halves([...clean, ...backdoored].filter(({ lineage }) => lineage === "a"))).toThrow(
      "each half of the lineages",
    );
  });
});
