/** A cleaning, for eyes. */
import { join } from "node:path";
import { defaultsText } from "../../engine/family-recipe.ts";
import type { CleanSpec } from "../../jobs/clean/spec.ts";
import type { DemoSpec } from "../../jobs/demo/spec.ts";
import { alphaText, duration } from "../../report/numbers.ts";
import type { CleanResult } from "../../results/clean.ts";
import { printable } from "../../tensor/printable.ts";
import { effectTable, rateText, table, warningText } from "../text.ts";

export const cleanText = (result: CleanResult, { report }: CleanSpec): string => cleaningText(result, report);
export const demoText = (result: CleanResult, { out }: DemoSpec): string =>
  cleaningText(result, join(out, "report.html"));

const keptText = (interval: CleanResult["retentionInterval"]) =>
  interval === undefined ? "" : ` (${interval.map((bound) => (100 * bound).toFixed(1)).join("-")})`;

function cleaningText(result: CleanResult, report?: string): string {
  const { before, after, retention, method, variants, verdict, remaining = [], output, proof, seconds } = result;
  const rows = Object.entries(variants).map(([name, { after, alpha, chosen, control, satisfied, seconds }]) => [
    `${chosen ? "*" : " "} ${name}`,
    rateText(after.ca),
    rateText(after.asr),
    `alpha ${alphaText(alpha)}`,
    duration(seconds),
    control ? "control" : satisfied ? "" : "rule not satisfied",
  ]);
  const files = output === undefined ? [] : [output.path, `${output.path}.vector.safetensors`];
  return [
    effectTable({ before, [`after (${method})`]: after }),
    `${(100 * retention).toFixed(1)} % of the clean accuracy kept${keptText(result.retentionInterval)}`,
    proof.floor === undefined ? "\n" : `; baseline ASR of the clean model ${rateText(proof.floor)}\n`,
    `\nMethods, on test images (* chosen on validation):\n${table(rows)}\n`,
    `${verdict.verified ? "VERIFIED" : "NOT VERIFIED"}: ${verdict.headline} (${duration(seconds)})\n`,
    ...verdict.reasons.map((reason) => `  - ${printable(reason, 1000)}\n`),
    ...(verdict.notes ?? []).map((note) => `  ${printable(note, 1000)}\n`),
    warningText(result.warnings),
    result.defaults === undefined ? "" : `${defaultsText(result.defaults)}\n`,
    ...remaining.map(
      ({ kind, target }) =>
        `Still there: ${printable(kind)} -> "${printable(target)}", another trigger of this model; clean it next\n`,
    ),
    files.length === 0 ? "" : `Written: ${files.join(", ")}\n`,
    report === undefined ? "" : `Report:  ${report}\n`,
  ].join("");
}
