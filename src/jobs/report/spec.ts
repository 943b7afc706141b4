/** What may be asked of a report. */
import { z } from "zod";
import { option, outFields } from "../fields.ts";

export const reportSpec = z.strictObject({
  result: option(z.string(), "JSON file", { argument: true, value: "result" }),
  ...outFields("where the page goes", "where shall the page go?", "file"),
});
export type ReportSpec = z.output<typeof reportSpec>;
