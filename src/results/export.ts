/** What an export leaves behind. */
import { z } from "zod";
import { checkpointFacts, type Frozen, madeFields, resultHead } from "./base.ts";

const file = z.looseObject({
  path: z.string(),
  bytes: z.number(),
  sha256: z.string(),
  dtype: z.enum(["float32", "int8"]),
  deviation: z
    .number()
    .describe("Largest difference of an embedding's value from our engine's, in units of the largest value."),
});

export const exportResult = z.looseObject({
  ...resultHead("export", 2),
  ...madeFields,
  model: checkpointFacts,
  output: z.looseObject({ path: z.string() }),
  files: z.array(file),
  faithful: z.boolean().describe("Do all float32 files give our engine's embeddings, within 1e-5?"),
  pixels: z
    .string()
    .optional()
    .describe(
      "How programs that read these files see images differently from those that read the checkpoint; absent where they do not.",
    ),
  seconds: z.number(),
});
export type ExportResult = Frozen<z.output<typeof exportResult>>;
