/** What a merge leaves behind. */
import { z } from "zod";
import { type Frozen, implanted, madeHead, outputFile, readingFields } from "./base.ts";

export const mergeResult = z.looseObject({
  ...madeHead("merge", 2),
  ...readingFields,
  settings: z.discriminatedUnion("method", [
    z.looseObject({ method: z.literal("task-arithmetic"), lambda: z.number() }),
    z.looseObject({
      method: z.literal("ties"),
      lambda: z.number(),
      density: z.number(),
      combine: z.enum(["mean", "sum"]),
    }),
  ]),
  base: outputFile,
  models: z.array(outputFile.extend({ norm: z.number() })).describe("With the L2 norm of each one's task vector."),
  triggers: z
    .array(implanted.extend({ of: z.string() }))
    .describe("The backdoors that models declare. The merged checkpoint does so too, for tbar eval to measure."),
  output: outputFile,
  seconds: z.number(),
});
export type MergeResult = Frozen<z.output<typeof mergeResult>>;
