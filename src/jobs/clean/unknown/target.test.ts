import { expect, test } from "vitest";
import type { Aimed } from "../../../detectors/aimed.ts";
import { rate } from "../../../stats/rate.ts";
import { kept } from "./proxies.ts";
import { nothingFound, targetOf } from "./target.ts";

const suspect = (target: string, hits: number) => ({ target, statistic: hits / 50, asr: rate(hits, 50) });
const detector = (name: string, ...suspects: ReturnType<typeof suspect>[]) => ({
  ...{ name, title: name, statistic: 0, means: "", facts: {}, seconds: 0 },
  suspects,
});
const calibration = { name: "c" } as never;
const found = (
  verdict: "backdoored" | "no evidence" | "inconclusive",
  ...detectors: ReturnType<typeof detector>[]
) => ({
  verdict,
  calibration,
  because: ["because"],
  suspects: [{ target: "blue star", probability: 0.9, detector: "fitted-patch" }],
  detectors,
});

test("the target is the class that triggers of most detectors lead to, then the one they hit most", () => {
  const two = [
    detector("a", suspect("red heart", 50)),
    detector("b", suspect("blue star", 30)),
    detector("c", suspect("blue star", 26)),
  ];
  expect(targetOf(found("backdoored", ...two))).toBe("blue star");
  expect(targetOf(found("backdoored", detector("a", suspect("x", 26), suspect("y", 40))))).toBe("y");
  // triggers that hit too seldom do not speak; then the verdict's first suspect
  expect(targetOf(found("backdoored", detector("a", suspect("red heart", 20))))).toBe("blue star");
});

test("without evidence there is no target, whatever the detectors' best triggers lead to", () => {
  const one = detector("a", suspect("red heart", 50));
  expect(targetOf(found("no evidence", one))).toBeUndefined();
  expect(targetOf(found("inconclusive", one))).toBeUndefined();
  expect(nothingFound(found("no evidence")).message).toMatch(/^no evidence of a backdoor: nothing was trained/);
  expect(nothingFound(found("no evidence")).code).toBe("not-proven");
  expect(nothingFound(found("inconclusive")).message).toContain("--suspect NAME");
});

test("every proxy that hits is kept, the best three of each form; where none hits, the best if it hits at all", () => {
  const aimed = (form: string, hits: number) => ({ trigger: { form }, asr: rate(hits, 50) }) as unknown as Aimed;
  const forms = (all: readonly Aimed[]) =>
    kept(all).map(({ trigger, asr }) => `${trigger.form} ${Math.round(asr.value * 50)}`);
  const some = [
    aimed("delta", 50),
    aimed("delta", 49),
    aimed("delta", 48),
    aimed("delta", 47),
    aimed("patch", 26),
    aimed("blend", 24),
  ];
  expect(forms(some)).toEqual(["delta 50", "delta 49", "delta 48", "patch 26"]);
  expect(forms([aimed("blend", 24), aimed("patch", 20)])).toEqual(["blend 24"]);
  expect(forms([aimed("blend", 9)])).toEqual([]);
});
