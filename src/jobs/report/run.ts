/** A stored result read back, and drawn. */
import { writeFileAtomic } from "../../files/atomic.ts";
import { readJson } from "../../files/files.ts";
import { cleanReport } from "../../report/clean-report.ts";
import { made } from "../../results/base.ts";
import type { ReportResult } from "../../results/report.ts";
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
  const result = checkCleanResult(await readJson(path, { bytes }), path);
  await writeFileAtomic(out, cleanReport(result), { force, set });
  return { ...made("report", 2, command), output: { path: out } };
}
