/** Findings and what they say to an exit status: accepted ones fail nothing, --fail-on lets the rest pass as it says. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { findingOf, rules } from "../../results/findings.ts";
import type { ScanResult } from "../../results/scan.ts";
import { exitOf } from "./exit.ts";
import { accepting, readBaseline, weightFindings } from "./findings.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tbar-baseline-"));
  return () => rm(folder, { recursive: true });
});

const sha256 = "ab".repeat(32);
const suspect = (target: string, probability: number) => ({ target, probability, detector: "fitted-patch" });
const found = (verdict: ScanResult["verdict"], suspects: ScanResult["suspects"] = []) =>
  weightFindings({ verdict, because: ["why"], threshold: 0.5, suspects }, sha256);
const none = found("no evidence");
const backdoored = found("backdoored", [suspect("cat", 0.9), suspect("dog", 0.6), suspect("cow", 0.1)]);
const unsure = found("inconclusive");
const pickle = [findingOf("tbar/pickle", sha256, { message: "it would import os.system", about: "os.system" })];
const script = [findingOf("tbar/script", sha256, { message: "code" })];

test("a verdict is a finding for each target that passes the threshold", () => {
  expect(none).toEqual([]);
  expect(backdoored.map(({ rule, target }) => [rule, target])).toEqual([
    ["tbar/backdoor", "cat"],
    ["tbar/backdoor", "dog"],
  ]);
  expect(found("backdoored").map(({ rule }) => rule)).toEqual(["tbar/backdoor"]);
  expect(unsure).toMatchObject([{ rule: "tbar/inconclusive", level: rules["tbar/inconclusive"].level, message: "why" }]);
}); // biome-ignore format: a line each

test("a fingerprint is of rule, weights and target: the same in each run, another for another of them", () => {
  const of = (rule: "tbar/backdoor" | "tbar/pickle", sha: string, target: string) => findingOf(rule, sha, { message: String(Math.random()), target }).fingerprint; // biome-ignore format: one line
  expect(of("tbar/backdoor", sha256, "cat")).toBe(backdoored[0].fingerprint);
  const all = [of("tbar/backdoor", sha256, "cat"), of("tbar/pickle", sha256, "cat"), of("tbar/backdoor", "cd", "cat"), of("tbar/backdoor", sha256, "dog")]; // biome-ignore format: one line
  expect(new Set(all).size).toBe(4);
});

test.each([
  ["nothing", none, 0, 0, 0],
  ["a backdoor", backdoored, 1, 1, 0],
  ["not sure", unsure, 3, 0, 0],
  ["a suspicious pickle", [...pickle, ...unsure], 1, 1, 0],
  ["a suspicious pickle in sound weights", pickle, 1, 1, 0],
  ["code beside the weights is a warning", script, 0, 0, 0],
])("exit status of %s", (_, findings, usual, onlyBackdoored, never) => {
  const exits = (["inconclusive", "backdoored", "never"] as const).map((failOn) => exitOf({ findings }, { failOn }));
  expect(exits).toEqual([usual, onlyBackdoored, never]);
});

test("what a baseline accepts fails nothing, and the rest still does", async () => {
  const [first, second] = backdoored;
  const entry = (fingerprint: string) => `  - fingerprint: ${fingerprint}\n    reason: our own red team's\n`;
  const path = join(folder, "baseline.yaml");
  await writeFile(path, `accepted:\n${entry(first.fingerprint)}`);
  const some = accepting(backdoored, await readBaseline(path));
  expect(some.map(({ accepted }) => accepted)).toEqual(["our own red team's", undefined]);
  expect(exitOf({ findings: some }, { failOn: "inconclusive" })).toBe(1);
  await writeFile(path, `accepted:\n${entry(first.fingerprint)}${entry(second.fingerprint)}`);
  expect(exitOf({ findings: accepting(backdoored, await readBaseline(path)) }, { failOn: "inconclusive" })).toBe(0);
  const json = JSON.stringify({ accepted: [{ fingerprint: unsure[0].fingerprint, reason: "known" }] });
  await writeFile(path, json);
  expect(exitOf({ findings: accepting(unsure, await readBaseline(path)) }, { failOn: "inconclusive" })).toBe(0);
});

test.each([
  ["findings: []", /is no list of accepted findings.*accepted/],
  [`accepted:\n  - fingerprint: abc\n    reason: x`, /64 hexadecimal digits/],
  [`accepted:\n  - fingerprint: ${sha256}`, /reason/],
  [`accepted:\n  - fingerprint: ${sha256}\n    reason: ""`, /say why/],
])("a baseline that is none is refused: %s", async (text, why) => {
  await writeFile(join(folder, "wrong.yaml"), text);
  await expect(readBaseline(join(folder, "wrong.yaml"))).rejects.toThrow(why);
});
