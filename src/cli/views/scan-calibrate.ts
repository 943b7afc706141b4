/** A calibration, for eyes. */
import type { ScanCalibration } from "../../results/scan-calibration.ts";
import { printable } from "../../tensor/printable.ts";
import { rateText, table } from "../text.ts";

export function calibrationText({ name, family, models, figures, attacks }: ScanCalibration): string {
  const { falsePositives, detection, target, auroc, inconclusive } = figures;
  const between = (of: readonly number[]) => of.map((value) => value.toFixed(3)).join(" to ");
  return [
    `${printable(name)}: ${printable(family)}, ${models.clean} clean and ${models.backdoored} backdoored models of ${models.lineages.length} lineages\n`,
    table([
      ["clean, called backdoored", rateText(falsePositives), `of ${falsePositives.n}`],
      ["clean, inconclusive", rateText(inconclusive.clean), ""],
      ["backdoored, called so", rateText(detection), `of ${detection.n}`],
      ["of these, target named right", rateText(target), ""],
      ["AUROC", `${auroc.value.toFixed(3)} (${between(auroc.interval)})`, ""],
    ]),
    table([["attack", "detected", "of"], ...Object.entries(attacks).map(([attack, { detection }]) => [printable(attack), rateText(detection), String(detection.n)])]), // biome-ignore format: one line
  ].join("");
}
