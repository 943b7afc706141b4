/** What may be asked of an export. */
import { z } from "zod";
import { programs } from "../../engine/program-names.ts";
import { modelFields, neededOut, option, runFields } from "../fields.ts";

const exporting = { group: "Files:" } as const;
const known = programs.join(", ");

export const exportSpec = z.strictObject({
  ...modelFields,
  only: option(
    z.array(z.enum(programs)).min(1, `it names nothing; known: ${known}`).optional(),
    `some of the files: ${known}`,
    { ...exporting, value: "names", kind: "program" },
  ),
  int8: option(
    z.boolean().default(false),
    "also files with weights in 8 bits: *_quantized.onnx, a quarter of the size",
    exporting,
  ),
  threads: runFields.threads,
  ...neededOut("where the files go", "where shall the files go?", "folder"),
});
