/** What drawing a report leaves behind. */
import { z } from "zod";
import { type Frozen, madeFields, resultHead } from "./base.ts";

export const reportResult = z.looseObject({
  ...resultHead("report", 2),
  ...madeFields,
  output: z.looseObject({ path: z.string() }),
});
export type ReportResult = Frozen<z.output<typeof reportResult>>;
