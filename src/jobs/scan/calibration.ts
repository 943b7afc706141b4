/** The calibrations that ship, and a user's own. */
import { fileURLToPath } from "node:url";
import { readJson } from "../../files/files.ts";
import { readResult } from "../../results/read.ts";
import { type ScanCalibration, scanCalibration } from "../../results/scan-calibration.ts";

const shipped = fileURLToPath(new URL("../../../data/scan-calibration.json", import.meta.url));

/** A calibration file. Throws `bad-input` on anything else. */
export async function readCalibration(path: string = shipped): Promise<ScanCalibration> {
  return readResult(scanCalibration, await readJson(path), path, {
    use: "a scan is judged by that of",
    command: "scan calibrate",
  });
}
