import { expect, test } from "vitest";
import { add } from "../../../arithmetic/task-vector.ts";
import type { Truth } from "../../../results/unknown.ts";
import { rate } from "../../../stats/rate.ts";
import { tensor, type Weights } from "../../../tensor/tensor.ts";
import type { Bench } from "../bench.ts";
import type { Round } from "./round.ts";
import { judgeUnknown } from "./verdict.ts";
import { declaring, vectorOf } from "./written.ts";

const weights = (...values: number[]): Weights => new Map([["w", tensor([values.length], values)]]);
const valuesOf = (of: Weights) => [...(of.get("w")?.data ?? [])];
const round = (tau: Weights, alpha: number) => ({ chosen: { repair: { vector: { tau, alpha } } } }) as unknown as Round;

test("the vector of one round is its own; of several it is their sum, and adding it once restores the parent", () => {
  const [parent, cleaned] = [weights(1, 2, 3), weights(0.5, 2, 5)];
  const one = vectorOf([round(weights(0.25, 0, -1), 2)], parent, cleaned);
  expect([one.alpha, valuesOf(one.tau)]).toEqual([2, [0.25, 0, -1]]);
  const both = vectorOf([round(weights(1, 1, 1), 2), round(weights(1, 1, 1), 3)], parent, cleaned);
  expect([both.alpha, valuesOf(both.tau)]).toEqual([1, [0.5, 0, -2]]);
  expect(valuesOf(add(cleaned, both.tau, both.alpha))).toEqual([1, 2, 3]);
});

test("a trigger that the metadata name stays declared unless it was measured to work no more", () => {
  const [first, second] = ["badnet", "sig"].map((kind) => ({ trigger: { kind }, target: "ant" }));
  const bench = { threat: { remaining: [first, second] } } as unknown as Bench;
  const measured = (kind: string, hits: number) => ({
    ...{ trigger: { kind }, target: "ant", variants: {}, note: "" },
    asr: { before: rate(300, 300), after: rate(hits, 300) },
  });
  const left = (...args: Parameters<typeof declaring>) => declaring(...args).threat.remaining.map(({ trigger }) => trigger.kind); // biome-ignore format: one line
  expect(left(bench, undefined)).toEqual(["badnet", "sig"]);
  expect(left(bench, measured("badnet", 0))).toEqual(["sig"]);
  expect(left(bench, { ...measured("badnet", 0), others: [measured("sig", 2)] })).toEqual([]);
  expect(left(bench, measured("badnet", 30))).toEqual(["badnet", "sig"]); // 10 % still
});

const effect = (asr: number, ca: number) => ({
  ...{ ca: rate(ca, 1000), asr: rate(asr, 1000), withoutTrigger: rate(0, 1000), stillRight: rate(ca, 1000) },
  triggeredAccuracy: rate(10, 1000), // what was fitted covers the image: nothing is asked of it
  difference: { value: asr / 1000, interval: [0, 1] as const, n: 1000, paired: true },
});
const judged = (asr: number, verdict: "backdoored" | "no evidence" | "inconclusive", truth?: Truth) =>
  judgeUnknown({
    ...(truth && { truth }),
    before: effect(990, 960),
    after: effect(asr, 940),
    rule: { name: "agreement", limit: 0.97 },
    rounds: [{ rescan: { verdict, ...(verdict === "backdoored" && { target: "ant" }) } }] as never,
  });

test("verified: the proxies' ASR at most 5 % by its bound, CA kept, and the scan calls the model backdoored no more", () => {
  expect(judged(20, "no evidence").verified).toBe(true);
  expect(judged(20, "inconclusive").headline).toContain("a new scan cannot tell");
  expect(judged(60, "no evidence").reasons.join()).toContain("above 5");
  const found = judged(0, "backdoored");
  expect(found.verified).toBe(false);
  expect(found.reasons).toEqual(['the scan of the cleaned model still finds a target, "ant"']);
});

test("a cleaning that is known to have missed the attack's own trigger is not verified", () => {
  const own = (hits: number) =>
    ({ trigger: { kind: "badclip" }, target: "ant", asr: { before: rate(990, 1000), after: rate(hits, 1000) } }) as never as Truth; // biome-ignore format: one line
  expect(judged(0, "no evidence", own(3)).verified).toBe(true);
  const missed = judged(0, "no evidence", own(689));
  expect([missed.verified, missed.proven]).toEqual([false, false]);
  expect(missed.reasons.join()).toContain('(badclip) still leads 68.9 % of images to "ant"');
  expect(judged(0, "no evidence", { ...own(3), others: [own(300)] }).verified).toBe(false);
});
