/** The calibrations that ship, and a user's own. */
import { fileURLToPath } from "node:url";
import { readJson } from "../../files/files.ts";
import { readResult } from "../../results/read.ts";
import { type ScanCalibration, scanCalibration } from "../../results/scan-calibration.ts";

const shipped = (name: string) => fileURLToPath(new URL(`../../../data/${name}.json`, import.meta.url));

/** A user's own, or what ships: of any scan, and besides of what compares with a base. */
export async function calibrationsFor(own: string | undefined, hasBase: boolean): Promise<readonly ScanCalibration[]> {
  const names = ["scan-calibration", ...(hasBase ? ["scan-calibration-base"] : [])];
  return Promise.all((own === undefined ? names.map(shipped) : [own]).map(readCalibration));
}

/** A calibration file. Throws `bad-input` on anything else. */
async function readCalibration(path: string): Promise<ScanCalibration> {
  return readResult(scanCalibration, await readJson(path), path, {
    use: "a scan is judged by that of",
    command: "scan calibrate",
  });
}
