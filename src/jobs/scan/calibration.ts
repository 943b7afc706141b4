/** The calibrations that ship, and a user's own. */
import { fileURLToPath } from "node:url";
import { readJson } from "../../files/files.ts";
import { readResult } from "../../results/read.ts";
import { type ScanCalibration, scanCalibration } from "../../results/scan-calibration.ts";

const shipped = (name: string) => fileURLToPath(new URL(`../../../data/${name}.json`, import.meta.url));

/** What ships: of scans that compare with a base, and of those that have none. */
export const shippedCalibration = (hasBase: boolean) => shipped(hasBase ? "scan-calibration-base" : "scan-calibration");

/** A calibration file. Throws `bad-input` on anything else. */
export async function readCalibration(path: string): Promise<ScanCalibration> {
  return readResult(scanCalibration, await readJson(path), path, {
    use: "a scan is judged by that of",
    command: "scan calibrate",
  });
}
