/** A report, for eyes: where it is. */
import type { ReportResult } from "../../results/report.ts";

export const reportText = ({ output }: ReportResult) => `Written: ${output.path}\n`;
