/** A stored result read back, and drawn. */
import { writeFileAtomic } from "../../files/atomic.ts";
import { readJson } from "../../files/files.ts";
import { isRecord } from "../../files/json.ts";
import { cleanReport } from "../../report/clean-report.ts";
import { scanReport } from "../../report/scan/scan-report.ts";
import { xiReport } from "../../report/xi/xi-report.ts";
import { made } from "../../results/base.ts";
import { readResult } from "../../results/read.ts";
import type { ReportResult } from "../../results/report.ts";
import { scanResult } from "../../results/scan.ts";
import { checkXi, xiResult } from "../../results/xi.ts";
import { badInput } from "../../tensor/error.ts";
import type { Context } from "../context.ts";
import { checkCleanResult } from "./clean-result.ts";
import type { ReportSpec } from "./spec.ts";

/** More than any result with its pictures has. */
const bytes = 8 * 2 ** 20;

export async function report(
  { result: path, out, force }: ReportSpec,
  { command, set }: Context,
): Promise<ReportResult> {
  if (out === undefined) throw badInput("out is missing: where shall the page go?");
  await writeFileAtomic(out, pageOf(await readJson(path, { bytes }), path), { force, set });
  return { ...made("report", 2, command), output: { path: out } };
}

/** The page of a scan, of a map or, of anything else, of a cleaning: what is none of them is refused there. */
function pageOf(json: unknown, path: string): string {
  if (isRecord(json) && json.kind === "xi") {
    const result = readResult(xiResult, json, path);
    checkXi(result, path);
    return xiReport(result);
  }
  if (isRecord(json) && json.kind === "scan") return scanReport(readResult(scanResult, json, path));
  return cleanReport(checkCleanResult(json, path));
}
