/** SARIF by the schema that OASIS published: whatever a scan found. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { scanFixture } from "../../test/scan-fixture.ts";
import { rules } from "../results/findings.ts";
import type { ScanResult } from "../results/scan.ts";
import { sarifOf } from "./sarif.ts";

const Ajv = createRequire(import.meta.url)("ajv-draft-04").default;
const schema = JSON.parse(readFileSync("test/sarif/sarif-2.1.0-rtm.5.json", "utf8"));
const validate = new Ajv({ strict: false, unicodeRegExp: false, validateFormats: false, allErrors: true }).compile(
  schema,
);

const faults = (log: unknown): unknown => (validate(JSON.parse(JSON.stringify(log))) ? [] : validate.errors);
const accepted = scanFixture.findings?.map((one) => ({ ...one, accepted: "our own red team's" }));

const results: Readonly<Record<string, ScanResult>> = {
  "a backdoor": scanFixture,
  "nothing found": { ...scanFixture, verdict: "no evidence", findings: [] },
  "not calibrated": { ...scanFixture, probability: undefined },
  "all accepted": { ...scanFixture, findings: accepted },
  "a stored result without findings": { ...scanFixture, findings: undefined, artifact: undefined },
};

test.each(Object.entries(results))("%s: valid, and every rule is declared", (_, result) => {
  const log = sarifOf(result);
  expect(faults(log)).toEqual([]);
  expect(log.runs[0].tool.driver.rules.map(({ id }) => id)).toEqual(Object.keys(rules));
});

test("the schema refuses what is no SARIF", () => {
  const [run] = sarifOf(scanFixture).runs;
  expect(faults({ version: "2.1.0", runs: [{ ...run, tool: {} }] })).not.toEqual([]);
  expect(faults({ version: "2.1.0", runs: [{ ...run, results: [{ ruleId: "x" }] }] })).not.toEqual([]);
});

test("results name rule, place and fingerprint, and no region", () => {
  const { results } = sarifOf(scanFixture).runs[0];
  expect(results.map(({ ruleId, level }) => [ruleId, level])).toEqual([
    ["tbar/script", "warning"],
    ["tbar/backdoor", "error"],
  ]);
  const [, backdoor] = results;
  const uri = "models/my%20suspect/model.safetensors";
  expect(backdoor.locations).toEqual([{ physicalLocation: { artifactLocation: { uri } } }]);
  expect(backdoor.partialFingerprints["tbar/v1"]).toMatch(/^[0-9a-f]{64}$/);
  const { rules } = sarifOf(scanFixture).runs[0].tool.driver;
  expect(rules[backdoor.ruleIndex].id).toBe("tbar/backdoor");
});

test("an accepted finding is suppressed, with the reason", () => {
  const [first] = sarifOf(results["all accepted"]).runs[0].results;
  const justification = "our own red team's";
  expect(first.suppressions).toEqual([{ kind: "external", status: "accepted", justification }]);
});
