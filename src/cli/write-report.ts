/** A result as an HTML file. */
import type { CleanResult } from "../experiments/result.ts";

export async function writeReport(path: string, result: CleanResult, force: boolean | undefined): Promise<void> {
  const { cleanReport } = await import("../report/clean-report.ts");
  const { writeFileAtomic } = await import("../checkpoint/atomic.ts");
  await writeFileAtomic(path, cleanReport(result), { force });
}
