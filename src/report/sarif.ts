/** Findings of a scan as SARIF 2.1.0 (OASIS), which code hosts and editors show. */
import { version } from "../files/version.ts";
import { type Finding, rules } from "../results/findings.ts";
import type { ScanResult } from "../results/scan.ts";

const schema = "https://json.schemastore.org/sarif-2.1.0.json";
const names = Object.keys(rules) as readonly (keyof typeof rules)[];

/**
 * The log of one run. All rules are declared, whether they fired or not; places are files, since weights have no lines. A finding that is
 * accepted stays, marked as suppressed.
 */
export function sarifOf({ findings = [], artifact = "", model, verdict, probability, created, ...result }: ScanResult) {
  return {
    $schema: schema,
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "tbar", version, semanticVersion: version, rules: names.map(ruleOf) } },
        automationDetails: { id: `tbar-scan/${artifact}` },
        invocations: [{ executionSuccessful: true, endTimeUtc: created }],
        artifacts: [{ location: { uri: uriOf(artifact) }, roles: ["analysisTarget"] }],
        results: findings.map((finding) => resultOf(finding, uriOf(artifact))),
        properties: {
          verdict,
          ...(probability !== undefined && { probability }),
          sha256: model.sha256,
          level: result.level,
        },
      },
    ],
  };
}

function ruleOf(id: keyof typeof rules) {
  const { title, about, level } = rules[id];
  return {
    id,
    name: id
      .split(/[/-]/)
      .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
      .join(""),
    shortDescription: { text: title },
    fullDescription: { text: about },
    help: { text: `${about} See docs/scan.md of tbar.` },
    defaultConfiguration: { level },
    properties: { tags: ["security"], "security-severity": level === "error" ? "9.0" : "4.0" },
  };
}

function resultOf({ rule, level, message, target, fingerprint, accepted }: Finding, uri: string) {
  return {
    ruleId: rule,
    ruleIndex: names.indexOf(rule),
    level,
    message: { text: message },
    locations: [{ physicalLocation: { artifactLocation: { uri } } }],
    partialFingerprints: { "tbar/v1": fingerprint },
    ...(target !== undefined && { properties: { target } }),
    ...(accepted !== undefined && {
      suppressions: [{ kind: "external", status: "accepted", justification: accepted }],
    }),
  };
}

/** A path as a relative URI. */
const uriOf = (path: string): string => path.split("/").map(encodeURIComponent).join("/");
