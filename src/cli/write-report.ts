/** A result as an HTML file. */
import type { WriteOptions } from "../files/atomic.ts";
import type { CleanResult } from "../results/clean.ts";

export async function writeReport(path: string, result: CleanResult, options: WriteOptions): Promise<void> {
  const { cleanReport } = await import("../report/clean-report.ts");
  const { writeFileAtomic } = await import("../files/atomic.ts");
  await writeFileAtomic(path, cleanReport(result), options);
}
