/** A cleaning, for eyes. */
import { join } from "node:path";
import { defaultsText } from "../../engine/family-recipe.ts";
import type { CleanSpec } from "../../jobs/clean/spec.ts";
import type { DemoSpec } from "../../jobs/demo/spec.ts";
import { alphaText, duration } from "../../report/numbers.ts";
import { comparison } from "../../report/variants.ts";
import type { CleanResult } from "../../results/clean.ts";
import { printable } from "../../tensor/printable.ts";
import { effectTable, rateText, table, warningText } from "../text.ts";

export const cleanText = (result: CleanResult, { report }: CleanSpec): string => cleaningText(result, report);
export const demoText = (result: CleanResult, { out }: DemoSpec): string =>
  cleaningText(result, join(out, "report.html"));

type Round = NonNullable<CleanResult["rounds"]>[number];

const keptText = (interval: CleanResult["retentionInterval"]) =>
  interval === undefined ? "" : ` (${interval.map((bound) => (100 * bound).toFixed(1)).join("-")})`;

/** A round of a cleaning without knowledge of the attack, in two lines. */
function roundText({ target, proxies, method, alpha, proxyAsr, retention, rescan }: Round, i: number): string {
  const forms = [...new Set(proxies.map(({ form }) => form))].join(", ");
  const still = rescan.target === undefined ? "" : `, "${printable(rescan.target)}" is still found`;
  return (
    `Round ${i + 1}: "${printable(target)}", ${proxies.length} recovered triggers (${printable(forms)}): ASR ${rateText(proxyAsr.before)} -> ${rateText(proxyAsr.after)}\n` +
    `  ${printable(method)}, alpha ${alphaText(alpha)}, ${(100 * retention).toFixed(1)} % kept; scan of the cleaned model: ${printable(rescan.verdict)}${still}\n`
  );
}

const words = {
  better: "better than",
  worse: "worse than",
  mixed: "better and worse than",
  level: "no clear difference to",
} as const;
/** By the 95 % intervals of the differences, image by image. */
const besideText = (against: NonNullable<CleanResult["variants"][string]["against"]>) =>
  `${words[comparison(against)]} ${printable(against.method)}`;

function cleaningText(result: CleanResult, report?: string): string {
  const { before, after, retention, method, variants, verdict, remaining = [], output, proof, seconds } = result;
  const { rounds = [], truth } = result;
  const rows = Object.entries(variants).map(
    ([name, { after, alpha, knob, chosen, control, satisfied, seconds, images, against }]) => [
      `${chosen ? "*" : " "} ${name}`,
      rateText(after.ca),
      rateText(after.asr),
      `${knob ?? "alpha"} ${alphaText(alpha)}`,
      duration(seconds),
      images === undefined ? "" : `${images.data} images, ${images.trained} trained on, ${images.encoded} encoded`,
      [control && "rival", !satisfied && "rule not satisfied", against && besideText(against)].filter(Boolean).join(", "), // biome-ignore format: one line
    ],
  );
  const files = output === undefined ? [] : [output.path, `${output.path}.vector.safetensors`];
  return [
    ...rounds.map(roundText),
    effectTable({ before, [`after (${method})`]: after }),
    `${(100 * retention).toFixed(1)} % of the clean accuracy kept${keptText(result.retentionInterval)}`,
    proof.floor === undefined ? "\n" : `; baseline ASR of the clean control model ${rateText(proof.floor)}\n`,
    `\nMethods, on test images (* chosen on validation):\n${table(rows)}\n`,
    `${verdict.verified ? "VERIFIED" : "NOT VERIFIED"}: ${verdict.headline} (${duration(seconds)})\n`,
    ...verdict.reasons.map((reason) => `  - ${printable(reason, 1000)}\n`),
    ...(verdict.notes ?? []).map((note) => `  ${printable(note, 1000)}\n`),
    warningText(result.warnings),
    result.defaults === undefined ? "" : `${defaultsText(result.defaults)}\n`,
    truth === undefined
      ? ""
      : `The checkpoint's own trigger (${printable(truth.trigger.kind)} -> "${printable(truth.target)}"), measured at the end alone: ASR ${rateText(truth.asr.before)} before, ${rateText(truth.asr.after)} after\n`,
    ...remaining.map(
      ({ kind, target }) =>
        `Still there: ${printable(kind)} -> "${printable(target)}", another trigger of this model; clean it next\n`,
    ),
    files.length === 0 ? "" : `Written: ${files.join(", ")}\n`,
    report === undefined ? "" : `Report:  ${report}\n`,
  ].join("");
}
