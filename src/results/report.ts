/** What drawing a report leaves behind. */
import { z } from "zod";
import { type Frozen, madeHead } from "./base.ts";

export const reportResult = z.looseObject({
  ...madeHead("report", 2),
  output: z.looseObject({ path: z.string() }),
});
export type ReportResult = Frozen<z.output<typeof reportResult>>;
