/** What may be asked of an export. */
import { z } from "zod";
import { programs } from "../../engine/program-names.ts";
import { a, modelFields, neededOut, runFields, under } from "../fields.ts";

const exporting = under("Files:");
const known = programs.join(", ");

export const exportSpec = z.strictObject({
  ...modelFields,
  only: exporting(
    z.array(z.enum(programs)).min(1, `it names nothing; known: ${known}`).optional(),
    `some of the files: ${known}`,
    { value: "names", kind: "program" },
  ),
  int8: exporting(a.isAsked(), "also files with weights in 8 bits: *_quantized.onnx, a quarter of the size"),
  threads: runFields.threads,
  ...neededOut("where the files go", "where shall the files go?", "folder"),
});
export type ExportSpec = z.output<typeof exportSpec>;
