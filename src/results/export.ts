/** What an export leaves behind. */
import { z } from "zod";
import { checkpointFacts, type Frozen, madeHead, maybe } from "./base.ts";

const file = z.looseObject({
  path: z.string(),
  bytes: z.number(),
  sha256: z.string(),
  dtype: z.enum(["float32", "int8"]),
  deviation: z
    .number()
    .describe("Largest difference of an embedding's value from our engine's, over the largest value."),
});

export const exportResult = z.looseObject({
  ...madeHead("export", 2),
  model: checkpointFacts,
  output: z.looseObject({ path: z.string() }),
  files: z.array(file),
  faithful: z.boolean().describe("Do all float32 files give our engine's embeddings, within 1e-5?"),
  pixels: maybe(z.string(), "How programs that read these files see images otherwise; absent where they do not."),
  seconds: z.number(),
});
export type ExportResult = Frozen<z.output<typeof exportResult>>;
