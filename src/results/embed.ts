/** What embedding a data set leaves behind. */
import { z } from "zod";
import { checkpointFacts, type Frozen, machine, madeHead, warningFields } from "./base.ts";

export const embedResult = z.looseObject({
  ...madeHead("embed", 2),
  model: checkpointFacts,
  data: z.string(),
  images: z.number(),
  texts: z.number(),
  width: z.number().describe("Values of one embedding."),
  /** Words of the texts that the model does not know. */
  ...warningFields,
  output: z.looseObject({ path: z.string() }),
  seconds: z.number(),
  machine,
});
export type EmbedResult = Frozen<z.output<typeof embedResult>>;
