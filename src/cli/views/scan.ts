/** A scan, for eyes: the verdict first, then why, then what each detector measured, then what to do next. */
import type { ScanSpec } from "../../jobs/scan/spec.ts";
import { duration } from "../../report/numbers.ts";
import type { Finding } from "../../results/findings.ts";
import { coverage, type ScanResult } from "../../results/scan.ts";
import { printable } from "../../tensor/printable.ts";
import { rateText, shellWord, table, warningText } from "../text.ts";

export function scanText(result: ScanResult, spec: ScanSpec): string {
  const { verdict, because, probability, threshold, suspects, detectors, code, seconds } = result;
  const sure = probability === undefined ? "" : `: probability ${probability.toFixed(3)}`;
  const limit = threshold === undefined ? "" : ` (backdoored from ${threshold.toFixed(3)} on)`;
  const inFile = result.findings?.filter(({ rule }) => rule !== "tbar/backdoor" && rule !== "tbar/inconclusive") ?? [];
  const accepted = result.findings?.filter((one) => one.accepted !== undefined) ?? [];
  const written = { Report: spec.report, SARIF: spec.sarif };
  return [
    `${verdict.toUpperCase()}${sure}${limit} (${duration(seconds)})\n`,
    ...because.map((why) => `  - ${printable(why, 1000)}\n`),
    calibrationText(result),
    suspects.length === 0 ? "" : `\n${suspectTable(suspects)}`,
    detectors.length === 0 ? "" : `\n${detectorTable(detectors)}`,
    inFile.length === 0 ? "" : `\nIn the file:\n${table(inFile.map(({ rule, level, message }) => [`  ${level}`, rule, message]))}`,
    code?.official === undefined ? "" : `\nKnown file: ${code.official}, unchanged\n`,
    accepted.length === 0 ? "" : `\nAccepted by ${spec.baseline ?? "a baseline"}:\n${accepted.map(acceptedText).join("")}`,
    warningText(result.warnings),
    `\n${next(result, spec)}\n`,
    ...Object.entries(written).map(([what, path]) => (path === undefined ? "" : `${what}: ${path}\n`)),
  ].join(""); // biome-ignore format: a line each
}

function suspectTable(suspects: ScanResult["suspects"]): string {
  const rows = suspects.map(({ target, probability, detector, asr }) => [printable(target), probability.toFixed(3), detector, asr ? rateText(asr) : ""]); // biome-ignore format: one line
  return table([["suspected target", "probability", "detector", "carried there"], ...rows]);
}

function detectorTable(detectors: ScanResult["detectors"]): string {
  const rows = detectors.map(({ title, statistic, threshold, suspects: [first], seconds }) => [
    title,
    statistic.toFixed(3),
    threshold === undefined ? "-" : threshold.toFixed(3),
    first ? printable(first.target) : "-",
    first?.asr ? rateText(first.asr) : "-",
    duration(seconds),
  ]);
  return table([["detector", "statistic", "threshold", "leads to", "carried there", "time"], ...rows]);
}

function calibrationText(result: ScanResult): string {
  const share = (value: number) => (100 * value).toFixed(1);
  const rateOf = ({ value, interval: [low, high] }: Calibration["detection"]) => `${share(value)} % (${share(low)}–${share(high)})`; // biome-ignore format: one line
  const by = ({ models, falsePositives, detection }: Calibration, what: string) =>
    `  ${what} on ${models} clean models: ${rateOf(falsePositives)} of them called backdoored; of backdoored ones ${rateOf(detection)} detected\n`;
  const { calibration, baseCalibration } = result;
  const { attacks, missed } = coverage(result);
  return [
    calibration === undefined ? "" : by(calibration, "Calibrated"),
    baseCalibration === undefined ? "" : by(baseCalibration, "With the base, calibrated"),
    attacks.length === 0 ? "" : `  Finds: ${attacks.join(", ")}\n`,
    missed.length === 0 ? "" : `  Not excluded: ${missed.join(", ")}\n`,
  ].join("");
}

type Calibration = NonNullable<ScanResult["calibration"]>;

const acceptedText = ({ rule, target, accepted = "", fingerprint }: Finding) =>
  `  ${rule}${target === undefined ? "" : ` "${printable(target)}"`}: ${printable(accepted, 1000)} (${fingerprint.slice(0, 12)}...)\n`;

/** What to do with the answer. */
function next({ verdict, code, level, calibration, answers }: ScanResult, { model, data, base }: ScanSpec): string {
  const named = `--model ${shellWord(model)} --data ${shellWord(data)}${base === undefined ? "" : ` --base ${shellWord(base)}`}`;
  if (code?.refused !== undefined) return "Next: do not load this file with anything; get the weights as .safetensors from who made them.";
  if (verdict === "backdoored") return `Next: tbar clean --unknown ${named} --out cleaned   takes it out, and scans what is left`;
  const deeper = [level === "quick" && "without --quick", base === undefined && "with --base MODEL, what it was made from"].filter(Boolean);
  if (verdict === "no evidence") return `No proof that there is none${deeper.length > 0 ? `; more is seen ${deeper.join(", and ")}` : ""}.`;
  if (answers.most === "") return "Next: give the whole CLIP, with text tower, tokenizer and class names, and scan again";
  if (calibration === undefined)
    return "Next: compare the statistics above with those of clean models of this architecture: tbar scan calibrate makes a file for --calibration";
  return `Next: scan again ${[...deeper, "with more or other clean images"].join(", or ")}`;
} // biome-ignore format: a line each
