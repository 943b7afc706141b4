/** A result as an HTML file. */
import type { WriteOptions } from "../checkpoint/atomic.ts";
import type { CleanResult } from "../experiments/result.ts";

export async function writeReport(path: string, result: CleanResult, options: WriteOptions): Promise<void> {
  const { cleanReport } = await import("../report/clean-report.ts");
  const { writeFileAtomic } = await import("../checkpoint/atomic.ts");
  await writeFileAtomic(path, cleanReport(result), options);
}
