/** tbar scan calibrate: from models whose kind is known, how the scan judges others of their architecture. */
import { scanCalibration } from "../../results/scan-calibration.ts";
import { job } from "../job.ts";
import { calibrateSpec } from "./spec.ts";

export const scanCalibrate = job({
  name: "scan calibrate",
  about:
    "Scans clean and backdoored models of one architecture whose kind is known, and writes how the scan shall judge others of it: weights, " +
    "thresholds, and error rates. Lineages (models made from one parent) are cut into two halves; each half is judged by thresholds " +
    "from the other alone, and these are the error rates stated. No alarm among 59 clean models shows a false-positive rate below 5 %.",
  examples: [
    "tbar scan calibrate models.yaml --data photos --classes names.txt --state scans --out calibration.json",
    "tbar scan --model suspect --data photos --classes names.txt --calibration calibration.json",
  ],
  notes: `The list:
  models:
    - { model: path/to/clean-1, label: clean, lineage: a }
    - { model: path/to/bad-1, label: backdoored, attack: badnet, target: dog, lineage: a }
    - { scan: scan-of-clean-2.json, label: clean, lineage: b }
Where each model has a base (what it was made from), the calibration is of scans with --base.`,
  spec: calibrateSpec,
  result: scanCalibration,
  outputs: async ({ out }) => [out],
  run: async (spec, context) => (await import("./run.ts")).scanCalibrate(spec, context),
});
