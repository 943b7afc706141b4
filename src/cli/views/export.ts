/** An export, for eyes. */
import type { ExportResult } from "../../results/export.ts";
import { bytesText, table } from "../text.ts";

export function exportText({ files, output, faithful, pixels }: ExportResult): string {
  const rows = files.map(({ path, bytes, dtype, deviation }) => [
    path,
    bytesText(bytes),
    dtype,
    `within ${deviation.toExponential(1)} of tbar's own embeddings`,
  ]);
  return `${table(rows)}${faithful ? "" : "NOT FAITHFUL: float32 embeddings differ by more than 1e-5\n"}${pixels === undefined ? "" : `Pixels: ${pixels}\n`}Written: ${output.path}\n`;
}
