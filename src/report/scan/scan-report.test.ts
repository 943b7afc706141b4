/** The page of a scan: verdict first, in words and colours that hold for each of the three, nothing of the result unescaped. */
import { parseHTML } from "linkedom";
import { expect, test } from "vitest";
import { scanFixture } from "../../../test/scan-fixture.ts";
import type { ScanResult } from "../../results/scan.ts";
import { rate } from "../../stats/rate.ts";
import { style } from "../style.ts";
import { scanReport } from "./scan-report.ts";
import { styles } from "./style.ts";

const parse = (result: ScanResult) => parseHTML(scanReport(result)).document;
const text = (result: ScanResult, selector: string) =>
  [...parse(result).querySelectorAll(selector)].map((one) => (one.textContent as string).replace(/\s+/g, " ").trim());

const { probability: _, threshold: __, calibration: ___, ...bare } = scanFixture;
const uncalibrated: ScanResult = { ...bare, verdict: "inconclusive", because: ["not calibrated"], suspects: [] };
const clean: ScanResult = { ...scanFixture, verdict: "no evidence", suspects: [], findings: [], examples: [] };

test("the verdict stands first, then triggers, suspects, detectors, findings, and how to read it", () => {
  const page = parse(scanFixture);
  expect(page.querySelector("main")?.firstElementChild?.className).toBe("verdict backdoored");
  expect(text(scanFixture, "h1")).toEqual(["A backdoor whose trigger leads to “red circle”"]);
  expect(text(scanFixture, "h2")).toEqual(["The figures behind it", "Recovered triggers", "Suspected targets", "Detectors", "Findings", "How to read this", "What was run"]);
}); // biome-ignore format: a list

test("the figures: probability and threshold, false positives and detection with intervals and numbers of models", () => {
  const figures = text(scanFixture, ".figure");
  expect(figures[0]).toMatch(/98\.7.%.*if half of all models were; called backdoored from 60.% on/);
  expect(figures[1]).toMatch(/3\.3.%.*0\.6–16\.7.*on 30 clean models/);
  expect(figures[2]).toMatch(/95\.0.%.*85\.0–98\.0.*45 backdoored/);
  expect(text(scanFixture, ".scope .missed")).toContainEqual("May missbadclip: these are not excluded");
});

test("what compares with a base states its own error rate, and what it finds is no longer missed", () => {
  const { calibration } = scanFixture;
  const baseCalibration = {
    ...calibration!,
    models: 30,
    backdoored: 12,
    falsePositives: rate(0, 30),
    attacks: ["badclip"],
    missed: ["sig"],
  };
  const page = scanReport({ ...scanFixture, baseCalibration });
  expect(page).toMatch(/With the base<\/dt><dd>one detector more, which called 0.{0,12}of 30 clean models backdoored/);
  expect(page).toMatch(/Finds<\/dt><dd>badnet, blended, wanet, badclip:/);
  expect(page).toMatch(/May miss<\/dt><dd>sig:/);
});

test("without a calibration there is no probability, and no verdict is suggested", () => {
  expect(text(uncalibrated, ".stamp")).toEqual(["Inconclusive"]);
  expect(text(uncalibrated, "h1")).toEqual(["No verdict: the scan is not calibrated for this model"]);
  expect(text(uncalibrated, ".figure h3")).toEqual(["Strongest recovered trigger"]);
  expect(text(uncalibrated, "h2")).not.toContain("Suspected targets");
});

test("no evidence is green, and says that it is no proof", () => {
  expect(parse(clean).querySelector("main")?.firstElementChild?.className).toBe("verdict verified");
  expect(text(clean, ".terms").join()).toContain("No evidence is no proof");
});

test("a file that was not opened says so first, and its finding stands in the verdict", () => {
  const code = { refused: "its pickle would import os.system", findings: [{ ...scanFixture.findings![1], rule: "tbar/pickle" as const, message: "it would import os.system" }] }; // biome-ignore format: one line
  const unsafe = { ...uncalibrated, code, detectors: [], examples: [], findings: code.findings };
  expect(text(unsafe, "h1")[0]).toMatch(/not safe to open/);
  expect(text(unsafe, ".scope .bad")).toEqual(["In the fileit would import os.system"]);
});

test("a recovered trigger: pattern, mask, clean, stamped, difference, and the answers before and after", () => {
  const page = parse(scanFixture);
  expect([...page.querySelectorAll(".suspect img")].map((one) => one.getAttribute("alt"))).toEqual([
    "the recovered trigger, patch",
    "mask",
    "blue star, clean",
    "blue star, with the trigger",
    "the difference, 1.6 times as large",
  ]);
  expect(text(scanFixture, ".answers tbody td").slice(0, 2)).toEqual(["97.0 %blue star", "99.0 %red circle"]);
  expect(text(scanFixture, ".answers .taken b")).toEqual(["red circle"]);
});

test("names and messages of strangers are text, and nothing is fetched", () => {
  const evil = '<script>alert(1)</script><img src="https://example.org/a.png">';
  const result: ScanResult = {
    ...scanFixture,
    because: [evil],
    suspects: [{ ...scanFixture.suspects[0], target: evil }],
    findings: scanFixture.findings?.map((one) => ({ ...one, message: evil, accepted: evil })),
    examples: [{ ...scanFixture.examples![0], target: evil, pattern: "https://example.org/a.png" }],
  };
  const page = parse(result);
  expect([...page.querySelectorAll("script")].map((one) => one.getAttribute("type"))).toEqual(["application/json"]);
  expect([...page.querySelectorAll("img")].filter((one) => !one.getAttribute("src")?.startsWith("data:image/png"))).toEqual([]);
}); // biome-ignore format: one line

test.each(["light", "dark"])("%s: text on the ground of a backdoored verdict has a contrast of 4.5 or more", (theme) => {
  const rules = (css: string) => [...css.matchAll(/:root \{[^}]*\}/g)].map(([rule]) => rule);
  const of = (css: string) => rules(css)[theme === "light" ? 0 : 1];
  const at = (name: string) => {
    const hex = new RegExp(`--${name}: #([0-9a-f]{6})`).exec(of(styles) + of(style) + rules(style)[0])?.[1] as string;
    const [r, g, b] = [0, 2, 4].map((i) => Number.parseInt(hex.slice(i, i + 2), 16) / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  for (const name of ["ink", "soft", "bad", "warn"]) {
    const [low, high] = [at(name), at("bad-tint")].sort((a, b) => a - b);
    expect((high + 0.05) / (low + 0.05), name).toBeGreaterThanOrEqual(4.5);
  }
}); // biome-ignore format: lines of a formula
