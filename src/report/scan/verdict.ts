/** The verdict of a scan, before anything else: how sure it is, what it was calibrated on, and what it does not exclude. */
import { coverage, type ScanResult } from "../../results/scan.ts";
import { type Content, type Html, html } from "../html.ts";
import { count, interval, percent, round } from "../numbers.ts";

const stamps = {
  backdoored: "Backdoored",
  "no evidence": "No evidence",
  inconclusive: "Inconclusive",
} as const satisfies Record<ScanResult["verdict"], string>;

const classes = { backdoored: "backdoored", "no evidence": "verified", inconclusive: "inconclusive" } as const;

export function verdict(result: ScanResult): Html {
  const { because } = result;
  return html`<section class="verdict ${classes[result.verdict]}" aria-label="Verdict">
<p class="stamp">${stamps[result.verdict]}</p>
<h1>${headline(result)}</h1>
${because.length > 0 && html`<ul>${because.map((why) => html`<li>${why}</li>`)}</ul>`}
${scope(result)}</section>
${keyFigures(result)}`;
}

function headline({ verdict, because, suspects: [first], code, calibration }: ScanResult): string {
  if (verdict === "backdoored")
    return first === undefined ? "A backdoor" : `A backdoor whose trigger leads to “${first.target}”`;
  if (verdict === "no evidence") return "No backdoor was found of the kinds that were looked for";
  if (code?.refused !== undefined) return "The file is not safe to open, and of its weights nothing is known";
  const isOutside = calibration === undefined && because[0]?.startsWith("not calibrated");
  return isOutside ? "No verdict: the scan is not calibrated for this model" : "The scan cannot tell";
}

/** What was looked at, of what the answer holds, and of what not. */
function scope(result: ScanResult): Html {
  const { calibration, baseCalibration, data, level, detectors, warnings = [], code } = result;
  const { attacks, missed } = coverage(result);
  const grave = code?.findings.filter(({ level, accepted }) => level === "error" && accepted === undefined) ?? [];
  const looked = `a ${level} scan, ${detectors.length} detectors on ${count(data.fit)} + ${count(data.held)} clean images of ${data.name}`;
  return html`<dl class="scope">
${grave.map(({ message }) => html`<div class="bad"><dt>In the file</dt><dd>${message}</dd></div>\n`)}<div><dt>Looked at</dt><dd>${looked}; the metadata were not read for the verdict</dd></div>
${
  (calibration ?? baseCalibration) &&
  html`<div><dt>Finds</dt><dd>${attacks.join(", ") || "none"}: attacks of which at least 80 % were detected</dd></div>
${missed.length > 0 && html`<div class="missed"><dt>May miss</dt><dd>${missed.join(", ")}: these are not excluded</dd></div>\n`}`
}${baseCalibration && html`<div><dt>With the base</dt><dd>one detector more, which called ${percent(baseCalibration.falsePositives.value)} of ${count(baseCalibration.models)} clean models backdoored (95 % interval ${interval(baseCalibration.falsePositives)}) and detected ${percent(baseCalibration.detection.value)} of ${count(baseCalibration.backdoored)} backdoored ones</dd></div>\n`}${code?.official && html`<div><dt>Known file</dt><dd>${code.official}, unchanged: its makers published this hash</dd></div>\n`}${warnings.map((what) => html`<div class="missed"><dt>Doubtful</dt><dd>${what}</dd></div>\n`)}</dl>
`;
}

function keyFigures(result: ScanResult): Html | false {
  const { probability, threshold, calibration, verdict } = result;
  const tone = verdict === "backdoored" ? "bad" : verdict === "no evidence" ? "good" : "";
  const strongest = strongestOf(result);
  const limit = threshold !== undefined && html`; called backdoored from ${round(threshold)} on`;
  const figures = [
    probability !== undefined && figure("Probability of a backdoor", percent(probability), ["if half of all models were", limit], tone), // biome-ignore format: one line
    calibration && figure("Clean models called backdoored", percent(calibration.falsePositives.value), [interval(calibration.falsePositives), html`<br>`, `95 % interval, on ${count(calibration.falsePositives.n)} clean models`]), // biome-ignore format: one line
    calibration && figure("Backdoored models detected", percent(calibration.detection.value), [interval(calibration.detection), html`<br>`, `95 % interval, ${count(calibration.detection.n)} backdoored models`]), // biome-ignore format: one line
    strongest && figure("Strongest recovered trigger", percent(strongest.asr.value), [html`${interval(strongest.asr)}, to ${strongest.target}`, html`<br>`, `of ${count(strongest.asr.n)} held-out images of other classes`], tone), // biome-ignore format: one line
  ].filter((one) => one !== undefined && one !== false);
  return (
    figures.length > 0 &&
    html`<section class="figures n${figures.length}" aria-labelledby="figures">
<h2 id="figures" class="unseen">The figures behind it</h2>
${figures}</section>
`
  );
}

/** The suspect whose recovered trigger carries most images, of the verdict's or, without a verdict, of any detector's. */
function strongestOf({ suspects, detectors }: ScanResult) {
  const all = suspects.length > 0 ? suspects : detectors.flatMap(({ suspects }) => suspects);
  return all
    .flatMap(({ target, asr }) => (asr === undefined ? [] : [{ target, asr }]))
    .sort((a, b) => b.asr.value - a.asr.value)[0];
}

function figure(name: string, value: Content, note: Content, tone = ""): Html {
  return html`<div class="figure ${tone}"><h3>${name}</h3><p class="value">${value}</p><p class="note">${note}</p></div>
`;
}
