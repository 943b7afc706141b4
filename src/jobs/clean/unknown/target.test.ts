import { expect, test } from "vitest";
import type { Aimed } from "../../../detectors/aimed.ts";
import { rate } from "../../../stats/rate.ts";
import { kept } from "./proxies.ts";
import { nothingFound, targetOf } from "./target.ts";

const found = (verdict: "backdoored" | "no evidence" | "inconclusive") => ({
  verdict,
  because: ["because"],
  suspects: [
    { target: "blue star", probability: 0.9, detector: "fitted-patch" },
    { target: "red heart", probability: 0.6, detector: "sine" },
  ],
});

test("the target is the most suspected class of a model that is called backdoored; else there is none", () => {
  expect(targetOf(found("backdoored"))).toBe("blue star");
  expect(targetOf(found("no evidence"))).toBeUndefined();
  expect(targetOf(found("inconclusive"))).toBeUndefined();
});

test("the refusal says what was found, and what would go on", () => {
  expect(nothingFound(found("no evidence")).message).toMatch(/^no evidence of a backdoor: nothing was trained/);
  expect(nothingFound(found("no evidence")).code).toBe("not-proven");
  expect(nothingFound(found("inconclusive")).message).toMatch(
    /^inconclusive: .*"blue star" \(probability 90.0 %\).*--suspect NAME/,
  );
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
